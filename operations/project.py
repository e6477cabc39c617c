"""Releases of projects, unpacked on the node."""

from __future__ import annotations

import io
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.change import shell
from blackstart.converge import paths, project
from blackstart.converge.wanted import Wanted, WantedRelease
from blackstart.project import ProjectError, digest, pack
from blackstart.project import folder as project_folder
from operations.common import Command, Commands, carry_out, refuse
from operations.live import live


@operation()
def releases(wanted: Wanted, folder: Path) -> Commands:
    """Bring the missing ones. `folder`: the fleet's."""
    changes = project.diff(wanted, live(wanted, "files"))
    names = [change.name for change in changes if change.action == "create"]
    yield from carry_out(changes, _commands(names, wanted, folder), "files")


def _commands(names: list[str], wanted: Wanted, folder: Path) -> Commands:
    for name in names:
        yield shell("mkdir", "-p", paths.PROJECTS, str(Path(name).parent))
        if state.is_executing:
            yield _upload(wanted.releases[name], folder)
        yield project.unpack_command(name, wanted.releases[name])


def _upload(release: WantedRelease, folder: Path) -> Command:
    """The archive, packed again from the fleet's folder: equal content is an equal digest."""
    try:
        archive = pack(project_folder(folder, release.project))
    except (ProjectError, OSError) as error:
        return refuse(str(error))
    if digest(archive) != f"sha256:{release.sha256}":
        return refuse(
            f"projects/{release.project} is not the release that lock.toml names: "
            f"run `blackstart project lock {release.project}` to release it as it is, or restore the folder"
        )
    return FileUploadCommand(io.BytesIO(archive), project.uploaded(release), _temp_dir="/var/tmp")
