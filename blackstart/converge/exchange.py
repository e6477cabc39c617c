"""A container on another image: the root that runs is put aside, never destroyed, and a clone of the new one is made.

Killed in between, the container is without a root, and the next run clones it as for a new container.
"""

from __future__ import annotations

from blackstart.change import Change
from blackstart.converge import aside
from blackstart.converge.container import stop
from blackstart.converge.rootfs import command
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live


def commands(change: Change, wanted: Wanted, live: Live, now: int) -> list[str]:
    """For a change of `rootfs.diff` that is an update. The container is started and proven like any other after it.

    `now`: seconds since 1970, for the date in the old root's new name.
    """
    name = next(name for name, each in wanted.containers.items() if each.rootfs == change.name)
    old = aside.move(live, change.name, name, now)
    return [stop(name), aside.command(old), command(wanted.containers[name], wanted)]
