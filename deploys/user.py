"""Users and their groups."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import user


@deploy("Host")
def users(wanted: Wanted) -> None:
    """Users and their groups."""
    user.users(name="Users", wanted=wanted)
