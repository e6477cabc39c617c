"""Root file systems of containers: cloned, or filled once; and exchanged when their image is another one."""

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
    """Make the missing ones from their images; a clone of another image is made beside its container, which runs on."""
    now = live(wanted, "datasets", "snapshots", "containers")
    changes = ours(rootfs.diff(wanted, now))
    # What is to be exchanged is said by `exchanged`.
    said = [change for change in changes if change.action != "update"]
    yield from carry_out(said, _all(changes, wanted, folder, now), "datasets", "snapshots")


def _all(changes: list[Change], wanted: Wanted, folder: Path, now: Live) -> Commands:
    action = {change.name: change.action for change in changes}
    for name, container in wanted.containers.items():
        does = action.get(container.rootfs)
        if does not in ("create", "update"):
            continue
        if container.image is None:
            yield refuse(f"container {name}: its image is not in lock.toml; run `blackstart image build IMAGE`")
            return
        is_cloned = exchange.is_beside(container, now)
        if does == "update" and not is_cloned:
            yield exchange.clone(container, wanted)
        elif does == "create" and is_cloned:
            # An exchange was killed when the old root was aside.
            yield exchange.place(container, wanted)
        elif does == "create":
            command, item = rootfs.command(container, wanted), wanted.datasets[container.rootfs]
            yield keyed(command, item, folder) if rootfs.needs_key(container, wanted) else command


@operation()
def exchanged(wanted: Wanted) -> Commands:
    """Put the clones that `roots` made beside in place. Last before containers start: nothing may fail in between."""
    now = live(wanted, "datasets", "containers")
    changes = [change for change in ours(rootfs.diff(wanted, now)) if change.action in ("update", "unknown")]
    commands = (
        exchange.command(change, wanted, now, int(time.time())) for change in changes if change.action == "update"
    )
    yield from carry_out(changes, commands, "datasets", "snapshots", "containers", "units")
