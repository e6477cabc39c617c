"""Delegated ZFS permissions."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import delegation
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.live import live


@operation()
def delegations(wanted: Wanted) -> Commands:
    """Grant what is missing."""
    changes = delegation.diff(wanted, live(wanted, "delegations"))
    yield from carry_out(changes, delegation.commands(changes), "delegations")
