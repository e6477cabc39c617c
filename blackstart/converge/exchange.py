"""A container on another image: a clone of the new one is made beside the root that runs, then the two are exchanged.

The old root is put aside, never destroyed. Nothing is stopped before the clone is there, and the clone is complete
before its container is down. Killed anywhere, the next run goes on with what it finds: the clone beside, or in place.
"""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge import aside, container
from blackstart.converge.dataset import ONE_TIME, create_options
from blackstart.converge.image import SNAPSHOT
from blackstart.converge.wanted import Wanted, WantedContainer
from blackstart.live.model import DatasetLive, Live
from blackstart.reading import Present


def is_beside(wants: WantedContainer, live: Live) -> bool:
    """Whether an earlier run made the clone. Anything else of that name lets `clone` fail, and is left alone."""
    there = live.datasets.value if isinstance(live.datasets, Present) else {}
    return wants.beside in there and there[wants.beside].properties["origin"][0] == _origin(wants)


def is_half(dataset: DatasetLive, name: str) -> bool:
    """Whether it is a clone that was once made beside the root of container `name`, of whatever image."""
    image, _, snapshot = dataset.properties.get("origin", ("", ""))[0].partition("@")
    _, *rest = dataset.name.split("/")
    return snapshot == SNAPSHOT and rest == ["lxc", f"{name}.{image.rpartition('/')[2]}"]


def clone(wants: WantedContainer, wanted: Wanted) -> str:
    """Make it, mounted nowhere."""
    item = wanted.datasets[wants.rootfs]
    options = create_options(item.model_copy(update={"properties": item.properties | {"mountpoint": "none"}}))
    return shell("zfs", "clone", *options, _origin(wants), wants.beside)


def place(wants: WantedContainer, wanted: Wanted) -> str:
    """Give the clone the root's name, which nothing has, and its mount point. Between the two: `dataset.diff` sees it.

    It may be older than the spec: it gets all the root's properties.
    """
    root = wants.rootfs
    properties = sorted(wanted.datasets[root].properties.items())
    settings = [f"{key}={value}" for key, value in properties if key not in ONE_TIME]
    mounted = shell("zfs", "get", "-H", "-o", "value", "mounted", root)
    return "\n".join(
        [
            "set -eu",
            shell("zfs", "rename", wants.beside, root),
            shell("zfs", "set", *settings, root),
            f'[ "$({mounted})" = yes ] || {shell("zfs", "mount", root)}',
        ]
    )


def command(change: Change, wanted: Wanted, live: Live, now: int) -> str:
    """For a change of `rootfs.diff` that is an update: one script, which ends well though its caller goes away.

    The container is started and proven like any other after it. `now`: seconds since 1970, for the date in the old
    root's new name.
    """
    name, wants = next((name, each) for name, each in wanted.containers.items() if each.rootfs == change.name)
    old = aside.move(live, change.name, name, now)
    origin = shell("zfs", "get", "-H", "-o", "value", "origin", wants.beside)
    missing = shell(f"container {name} is left as it is: {wants.beside} is no clone of {_origin(wants)}")
    is_there = f'[ "$({origin})" = {shell(_origin(wants))} ] || {{ echo {missing} >&2; exit 1; }}'
    stopped = container.stop(name) if wants.autostart else container.is_stopped(name)
    return "\n".join(["set -eu", is_there, stopped, aside.command(old), place(wants, wanted)])


def _origin(wants: WantedContainer) -> str:
    return f"{wants.image}@{SNAPSHOT}"
