"""Where a node's own datasets are mounted: never over what its system runs from, nor over blackstart's own places."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.spec.clash import node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.node import Node
from blackstart.spec.problem import Problem

# An empty dataset over one of these, or over a folder that holds one, and the node does not come up again.
_FOLDERS = """
/bin /boot /dev /etc /lib /lib32 /lib64 /proc /root /run /sbin /sys /tmp /usr /var /var/cache /var/lib /var/lib/apt
/var/lib/dpkg /var/lib/lxc /var/lib/systemd /var/log /var/run /var/tmp
"""
_SYSTEM = _FOLDERS.split()
_OURS = ("/etc/blackstart", "/usr/local/lib/blackstart", "/var/lib/blackstart")
_VAULTS = "/srv/blackstart"


def places(fleet: Fleet) -> Iterator[Problem]:
    """Mount points that would hide something."""
    for name, node in fleet.nodes.items():
        for dataset, wishes in node.datasets.items():
            if wishes.mountpoint and (hidden := _hidden(wishes.mountpoint, node)):
                said = f"a dataset mounted on {wishes.mountpoint} would hide {hidden}; choose a folder of its own"
                yield Problem(node_file(name), ("datasets", dataset, "mountpoint"), said)


def _hidden(place: str, node: Node) -> str:
    """What lies there, "" where nothing does that must be seen."""
    ours = (*_OURS, _VAULTS) if node.vault else _OURS
    if place in _SYSTEM or any(_below(each, place) for each in _SYSTEM):
        return "what the system runs from"
    own = next((each for each in ours if place == each or _below(each, place) or _below(place, each)), "")
    return f"{own}, which is blackstart's" if own else ""


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
