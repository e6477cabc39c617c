"""Every file that blackstart owns on the host."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from operations import file


@deploy("Host")
def files(wanted: Wanted) -> None:
    """Every file that blackstart owns on the host."""
    file.files(name="Files", wanted=wanted)
