"""Images, releases and the fleet's own repository on a vault: what a rebuild needs when nobody can supply it."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from blackstart.change import shell
from blackstart.project import ProjectError, release
from blackstart.reading import Present
from blackstart.spec.fleet import Fleet
from blackstart.vault import layout
from blackstart.vault.stock import accept, accept_bundle, bundle, incoming, wanted
from operations.common import Command, Commands, refuse
from operations.record import forget, reading


@operation()
def stock(vault: str, pool: str, fleet: Fleet, folder: Path, cache: Path) -> Commands:
    """Every image and release of lock.toml, proven by digest. `cache`: the controller's folder of image tarballs.

    One that is not on this machine is said and left out: another controller, or a later run, brings it.
    """
    have = reading(vault, pool).stock
    if not isinstance(have, Present):
        yield refuse(f"{vault}: its stock could not be read: {getattr(have, 'why', 'absent')}")
        return
    releases = {project.digest.removeprefix("sha256:"): name for name, project in fleet.lock.projects.items()}
    for name, (where, sha256) in sorted(wanted(fleet.lock).items()):
        if name in have.value:
            continue
        try:
            source = (
                str(cache / name) if sha256 not in releases else io.BytesIO(release(fleet, folder, releases[sha256]))
            )
        except ProjectError as error:
            host.log_styled(f"{vault}: not brought: {error}", fg="yellow")
            continue
        if isinstance(source, str) and not Path(source).is_file():
            host.log_styled(
                f"{vault}: image {name} is not on this machine, so the vault does not get it now", fg="yellow"
            )
            continue
        yield from _bring(source, where, name, sha256)
        forget(vault)


def _bring(source: str | io.BytesIO, where: str, name: str, sha256: str) -> list[Command]:
    # /tmp is memory on Debian 13: under sudo the upload goes through /var/tmp.
    upload = FileUploadCommand(source, incoming(where, name), _temp_dir="/var/tmp")
    return [upload, accept(where, name, sha256)]


@operation()
def specs(vault: str, pool: str, folder: Path, commit: str) -> Commands:
    """The fleet's repository as committed. What is not committed does not travel; outside git nothing does."""
    have = reading(vault, pool).specs
    plain = commit.removesuffix("-dirty")
    if not plain or (isinstance(have, Present) and have.value == plain):
        return
    try:
        packed = bundle(folder)
    except (OSError, subprocess.SubprocessError) as error:
        yield refuse(f"{vault}: the fleet's repository could not be packed: {error}")
        return
    file = f"{layout.SPECS}/.new.bundle"
    yield FileUploadCommand(io.BytesIO(packed), file, _temp_dir="/var/tmp")
    yield shell("sh", "-c", accept_bundle(file, plain))
    forget(vault)
