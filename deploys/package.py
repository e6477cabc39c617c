"""Debian packages that the host lacks."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import package


@deploy("Host")
def packages(wanted: Wanted) -> None:
    """Debian packages that the host lacks."""
    package.packages(name="Packages", wanted=wanted)
