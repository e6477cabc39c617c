"""Debian packages that the host lacks."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import package
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.live import EVERYTHING, live


@operation()
def packages(wanted: Wanted) -> Commands:
    """Install the missing ones."""
    now = live(wanted, "packages")
    changes = package.diff(wanted, now)
    yield from carry_out(changes, package.commands(changes, now), EVERYTHING)
