"""Where datasets are mounted: never over what the host, blackstart or the container itself runs from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from blackstart.spec.clash import container_file, node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Problem
from blackstart.vault import layout

_PATHS = """
/ /bin /boot /dev /etc /lib /lib32 /lib64 /proc /root /run /sbin /sys /tmp /usr /var /var/cache /var/lib /var/log
/var/run /var/tmp /var/lib/lxc /var/lib/dpkg /var/lib/apt /var/lib/systemd
"""
_SYSTEM = _PATHS.split()
# What lies below these is the system's as well; /usr/local is people's.
_WHOLLY = ("/bin", "/boot", "/dev", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr")
_LOCAL = "/usr/local"
_USERS = (layout.READ, layout.REPLICATE, layout.RESTORE, layout.PRUNE, layout.DRILL, layout.SERVE, layout.SIGNAL)
_OURS = (layout.STATE, layout.LIBEXEC, layout.CONFIG, layout.ROOT, layout.TOOL, *map(layout.home, _USERS))
# Parents of ours that are people's own: what of ours lies below is a mount by itself, or the vault's deploy lays it.
_FREE = ("/srv", "/opt")
_INSIDE = ["/", "/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr"]


def mountpoints(fleet: Fleet) -> Iterator[Problem]:
    """Of nodes' own datasets. One that is not managed is there already, wherever somebody else mounts it."""
    for name, node in fleet.nodes.items():
        for dataset, wishes in node.datasets.items():
            said = _taken(wishes.mountpoint) if wishes.mountpoint and wishes.managed else ""
            if said:
                text = f"{wishes.mountpoint}: {said}; mount it elsewhere, like /srv/{dataset.rsplit('/', 1)[1]}"
                yield Problem(node_file(name), ("datasets", dataset, "mountpoint"), text)


def mounts(fleet: Fleet) -> Iterator[Problem]:
    """Inside containers, where the image has what they start from."""
    for name, container in fleet.containers.items():
        for path in container.mounts:
            if path in _INSIDE:
                said = "would hide what the container itself runs from; mount it elsewhere, like /srv or /var/lib/NAME"
                yield Problem(container_file(name), ("mounts", path), said)


def _taken(path: str) -> str:
    """Why nothing may be mounted at `path` of a host; "" where it may."""
    if path in _SYSTEM:
        return "the system runs from it, and a mount would hide it"
    is_local = path == _LOCAL or _below(path, _LOCAL)
    if not is_local and (around := _first(each for each in _WHOLLY if _below(path, each))):
        return f"the system runs from {around}, and a mount would hide a part of it"
    if hidden := _first(each for each in _SYSTEM if _below(each, path)):
        return f"a mount would hide {hidden}, which the system runs from"
    if around := _first(each for each in _OURS if path == each or _below(path, each)):
        return f"{around} is blackstart's own" if path == around else f"below {around} everything is blackstart's own"
    if path not in _FREE and (hidden := _first(each for each in _OURS if _below(each, path))):
        return f"a mount would hide {hidden}, which is blackstart's own"
    return ""


def _below(path: str, folder: str) -> bool:
    return PurePosixPath(folder) in PurePosixPath(path).parents


def _first(paths: Iterable[str]) -> str:
    return next(iter(paths), "")
