"""The host part: the operator's own deploys, packages, users, files, kernel settings, bridges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyinfra import local

from blackstart.converge.wanted import Wanted
from deploys.file import files
from deploys.network import bridges
from deploys.package import packages
from deploys.sysctl import settings
from deploys.user import users


def own(deploys: tuple[str, ...], folder: Path) -> None:
    """The operator's own pyinfra files, in the order of the spec, before anything of ours."""
    for path in deploys:
        local.include(str((folder / path).resolve()))


def host(wanted: Wanted, vaults: Sequence[str] = ()) -> None:
    """All that /etc loses with the OS disk, and that needs no pool. `vaults` are asked where no mirror is reached."""
    packages(wanted=wanted, vaults=vaults)
    settled(wanted)


def settled(wanted: Wanted) -> None:
    """What needs packages, and neither pool nor data."""
    users(wanted=wanted)
    files(wanted=wanted)
    settings(wanted=wanted)
    bridges(wanted=wanted)
