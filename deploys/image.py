"""Images of containers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import image


@deploy("Containers")
def images(wanted: Wanted, cache: Path, vaults: Sequence[str] = ()) -> None:
    """Images of containers."""
    image.images(name="Images", wanted=wanted, cache=cache, vaults=vaults)
