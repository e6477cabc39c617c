"""Releases of projects, unpacked on the node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.change import shell
from blackstart.converge import paths, project
from blackstart.converge.wanted import Wanted, WantedRelease
from blackstart.supply import SupplyError
from operations import supply
from operations.common import Command, Commands, carry_out, refuse
from operations.live import live


@operation()
def releases(wanted: Wanted, folder: Path, vaults: Sequence[str] = ()) -> Commands:
    """Bring the missing ones. `folder`: the fleet's; `vaults`: asked in this order for what it no longer makes."""
    changes = project.diff(wanted, live(wanted, "files"))
    names = [change.name for change in changes if change.action == "create"]
    yield from carry_out(changes, _commands(names, wanted, folder, vaults), "files")


def _commands(names: list[str], wanted: Wanted, folder: Path, vaults: Sequence[str]) -> Commands:
    for name in names:
        yield shell("mkdir", "-p", paths.PROJECTS, str(Path(name).parent))
        if state.is_executing:
            yield _upload(wanted.releases[name], folder, vaults)
        yield project.unpack_command(name, wanted.releases[name])


def _upload(release: WantedRelease, folder: Path, vaults: Sequence[str]) -> Command:
    try:
        archive = supply.release(release.project, release.sha256, folder, vaults)
    except (SupplyError, OSError) as error:
        return refuse(str(error))
    return FileUploadCommand(str(archive), project.uploaded(release), _temp_dir="/var/tmp")
