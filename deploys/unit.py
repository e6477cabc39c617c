"""Systemd units of the host."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import unit


@deploy("Host")
def units(wanted: Wanted) -> None:
    """Systemd units of the host."""
    unit.units(name="Units", wanted=wanted)
