"""Kernel settings."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import sysctl


@deploy("Host")
def settings(wanted: Wanted) -> None:
    """Kernel settings."""
    sysctl.settings(name="Kernel settings", wanted=wanted)
