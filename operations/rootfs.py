"""Root file systems of containers: cloned, or filled once."""

from __future__ import annotations

import time
from pathlib import Path

from pyinfra.api.operation import operation

from blackstart.change import Change
from blackstart.converge import exchange, rootfs
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from operations.common import Commands, carry_out, refuse
from operations.dataset import keyed
from operations.left import ours
from operations.live import live


@operation()
def roots(wanted: Wanted, folder: Path) -> Commands:
    """Make the missing ones from their images, and exchange clones of an image that is not the wanted one."""
    now = live(wanted, "datasets", "snapshots", "containers")
    changes = ours(rootfs.diff(wanted, now))
    yield from carry_out(changes, _all(changes, wanted, folder, now), "datasets", "snapshots", "containers", "units")


def _all(changes: list[Change], wanted: Wanted, folder: Path, now: Live) -> Commands:
    yield from _commands({change.name for change in changes if change.action == "create"}, wanted, folder)
    for change in changes:
        if change.action == "update":
            yield from exchange.commands(change, wanted, now, int(time.time()))


def _commands(missing: set[str], wanted: Wanted, folder: Path) -> Commands:
    for name, container in wanted.containers.items():
        if container.rootfs not in missing:
            continue
        if container.image is None:
            yield refuse(f"container {name}: its image is not in lock.toml; run `blackstart image build IMAGE`")
            return
        command = rootfs.command(container, wanted)
        if rootfs.needs_key(container, wanted):
            yield keyed(command, wanted.datasets[container.rootfs], folder)
        else:
            yield command
