"""Bridges."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import network
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.left import ours
from operations.live import live


@operation()
def bridges(wanted: Wanted) -> Commands:
    """Have networkd make what is missing, and wait until it is there."""
    changes = ours(network.diff(wanted, live(wanted, "links")))
    yield from carry_out(changes, network.commands(changes), "links")
