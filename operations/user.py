"""Users of the host."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import user
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.left import ours
from operations.live import live


@operation()
def users(wanted: Wanted) -> Commands:
    """Create the missing ones, add them to their groups."""
    changes = ours(user.diff(wanted, live(wanted, "users")))
    yield from carry_out(changes, user.commands(changes, wanted), "users")
