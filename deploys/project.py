"""Releases of projects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import project


@deploy("Containers")
def releases(wanted: Wanted, folder: Path, vaults: Sequence[str] = ()) -> None:
    """Releases of projects."""
    project.releases(name="Releases", wanted=wanted, folder=folder, vaults=vaults)
