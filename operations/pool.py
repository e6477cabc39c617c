"""Pools: created only for a node that is told to enroll, on members proven blank at that moment."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import pool
from blackstart.converge.compare import create
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Absent
from blackstart.spec.resolve import NodeSpec
from operations.common import Commands, announce, carry_out, could_not_read, refuse
from operations.left import ours
from operations.live import live
from operations.record import known_epoch


@operation()
def allowed(wanted: Wanted, enroll: bool, disks: dict[str, str]) -> Commands:
    """Refuse a host whose pools are missing, unless it is to be enrolled on blank members."""
    now = live(wanted)
    if isinstance(now.zfs, Absent):
        # Without the ZFS tools no pool can be imported; what lies on the disks is still looked at.
        missing = pool.managed(wanted)
    else:
        changes = pool.diff(wanted, now)
        yield from could_not_read(changes)
        missing = [change.name for change in changes if change.action == "create"]
    why = _refusal(missing, wanted, now, enroll, disks)
    if why:
        yield refuse(why)


@operation()
def pools(spec: NodeSpec, wanted: Wanted, enroll: bool, disks: dict[str, str]) -> Commands:
    """Create what is missing where that is allowed; set what may be set later. The epoch is the record's."""
    wanted = pool.at_epoch(wanted, known_epoch(spec))
    now = live(wanted, "pools", "datasets", "disks", "importable")
    changes = [pool.with_disks(change, wanted, disks) for change in ours(pool.diff(wanted, now))]
    missing = [change.name for change in changes if change.action == "create"]
    if enroll and isinstance(now.zfs, Absent):
        announce(pool.with_disks(create("pool", name), wanted, disks) for name in pool.managed(wanted))
    why = _refusal(missing, wanted, now, enroll, disks)
    made = [refuse(why)] if why else [pool.create_command(name, wanted.pools[name], disks) for name in missing]
    commands = [*made, *pool.commands(changes)]
    yield from carry_out(changes, commands, "pools", "datasets", "snapshots", "disks", "importable", "delegations")


def _refusal(missing: list[str], wanted: Wanted, now: Live, enroll: bool, disks: dict[str, str]) -> str | None:
    for name in missing:
        if not enroll:
            return f"pool {name} is not there, and this run was not told to enroll: nothing is created"
        why = pool.refusal(name, wanted.pools[name], now, disks)
        if why:
            return why
    return None
