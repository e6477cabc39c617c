"""Bridges for containers."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import network


@deploy("Host")
def bridges(wanted: Wanted) -> None:
    """Bridges for containers."""
    network.bridges(name="Bridges", wanted=wanted)
