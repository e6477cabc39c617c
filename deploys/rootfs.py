"""Root file systems of containers."""

from __future__ import annotations

from pathlib import Path

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import rootfs


@deploy("Containers")
def roots(wanted: Wanted, folder: Path) -> None:
    """Root file systems of containers."""
    rootfs.roots(name="Root file systems", wanted=wanted, folder=folder)


@deploy("Containers")
def exchanged(wanted: Wanted) -> None:
    """Containers whose image is another one: stopped only now, when all that they start with is there."""
    rootfs.exchanged(name="Images of containers", wanted=wanted)
