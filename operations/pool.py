"""Pools: created only for a node that is told to enroll, on members proven blank at that moment."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import pool
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from operations.common import Commands, carry_out, refuse
from operations.live import live


@operation()
def pools(wanted: Wanted, enroll: bool, disks: dict[str, str]) -> Commands:
    """Create what is missing where that is allowed; set what may be set later."""
    now = live(wanted, "pools", "datasets", "disks", "importable")
    changes = pool.diff(wanted, now)
    missing = [change.name for change in changes if change.action == "create"]
    commands = [*_creations(missing, wanted, now, enroll, disks), *pool.commands(changes)]
    yield from carry_out(changes, commands, "pools", "datasets", "snapshots", "disks", "importable", "delegations")


def _creations(missing: list[str], wanted: Wanted, now: Live, enroll: bool, disks: dict[str, str]) -> Commands:
    for name in missing:
        if not enroll:
            yield refuse(f"pool {name} is not there, and this run was not told to enroll: nothing is created")
            return
        why = pool.refusal(name, wanted.pools[name], now, disks)
        if why:
            yield refuse(why)
            return
    for name in missing:
        yield pool.create_command(name, wanted.pools[name], disks)
