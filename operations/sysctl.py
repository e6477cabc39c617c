"""Running values of kernel settings."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import sysctl
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.left import ours
from operations.live import live


@operation()
def settings(wanted: Wanted) -> Commands:
    """Set those that differ."""
    changes = ours(sysctl.diff(wanted, live(wanted, "sysctl")))
    yield from carry_out(changes, sysctl.commands(changes), "sysctl")
