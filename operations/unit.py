"""Systemd units of the host."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import unit
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.left import ours
from operations.live import live


@operation()
def units(wanted: Wanted) -> Commands:
    """Enable and start them."""
    changes = ours(unit.diff(wanted, live(wanted, "units")))
    yield from carry_out(changes, unit.commands(changes), "units")
