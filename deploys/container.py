"""Containers, running and proven."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import container


@deploy("Containers")
def containers(wanted: Wanted) -> None:
    """Containers, running and proven."""
    container.containers(name="Containers", wanted=wanted)
