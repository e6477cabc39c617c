"""Datasets and their properties."""

from __future__ import annotations

from pathlib import Path

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import dataset


@deploy("Storage")
def datasets(wanted: Wanted, folder: Path) -> None:
    """Datasets and their properties."""
    dataset.datasets(name="Datasets", wanted=wanted, folder=folder)
