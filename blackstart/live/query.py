"""What to ask a host, from what is wanted of it."""

from __future__ import annotations

from pathlib import PurePosixPath

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Query
from blackstart.vault.layout import LIBEXEC, STATE

# Looked at as a whole, so that what nobody wants any more is seen.
FOLDERS = ("/etc/cron.d",)


def query_for(wanted: Wanted) -> Query:
    """Ask for everything `wanted` names. Folders of our own are listed whole."""
    properties = {name for dataset in wanted.datasets.values() for name in dataset.properties}
    properties |= {name for pool in wanted.pools.values() for name in pool.properties}
    if any(dataset.encryption for dataset in wanted.datasets.values()):
        properties |= {"keyformat", "keylocation"}
    units = {*wanted.units, *(f"lxc@{name}.service" for name in wanted.containers)}
    folders = {str(PurePosixPath(path).parent) for path in wanted.watched()}
    own = {folder for folder in folders if folder.startswith((f"{STATE}/", LIBEXEC))}
    return Query(
        properties=tuple(sorted(properties)),
        packages=wanted.packages,
        sysctl=tuple(sorted(wanted.sysctl)),
        files=tuple(sorted(path for path in wanted.watched() if not _within(path, {*own, *FOLDERS}))),
        directories=tuple(sorted({*own, *FOLDERS})),
        units=tuple(sorted(units)),
        users=tuple(sorted(wanted.users)),
        delegations=tuple(sorted(wanted.delegations)),
    )


def _within(path: str, folders: set[str]) -> bool:
    return str(PurePosixPath(path).parent) in folders
