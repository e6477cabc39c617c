"""Delegated ZFS permissions."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import delegation


@deploy("Storage")
def delegations(wanted: Wanted) -> None:
    """Delegated ZFS permissions."""
    delegation.delegations(name="Delegations", wanted=wanted)
