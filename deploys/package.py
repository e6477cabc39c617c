"""Debian packages that the host lacks."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import package


@deploy("Host")
def packages(wanted: Wanted, vaults: Sequence[str] = ()) -> None:
    """Debian packages that the host lacks."""
    package.packages(name="Packages", wanted=wanted, vaults=vaults)
