"""Root file systems of containers: cloned, or filled once."""

from __future__ import annotations

from pathlib import Path

from pyinfra.api.operation import operation

from blackstart.converge import rootfs
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out, refuse
from operations.dataset import keyed
from operations.live import live


@operation()
def roots(wanted: Wanted, folder: Path) -> Commands:
    """Make the missing ones from their images."""
    changes = rootfs.diff(wanted, live(wanted, "datasets"))
    missing = {change.name for change in changes if change.action == "create"}
    yield from carry_out(changes, _commands(missing, wanted, folder), "datasets", "snapshots")


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
