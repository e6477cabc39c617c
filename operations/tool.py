"""The tool on a vault, at the version of this checkout."""

from __future__ import annotations

import io

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation

from blackstart.change import shell
from blackstart.reading import Present
from blackstart.vault import layout
from blackstart.vault.bundle import collect, install, pack
from operations.common import Commands
from operations.record import forget, reading


@operation()
def tool(vault: str, pool: str) -> Commands:
    """Brought beside the running version, then the link is switched: what runs goes on with what it has loaded."""
    bundle = pack(collect())
    running = reading(vault, pool).tool
    if isinstance(running, Present) and running.value == bundle.version:
        return
    archive = f"{layout.TOOL}/.{bundle.version}.tar.gz"
    yield shell("mkdir", "-p", layout.TOOL)
    yield FileUploadCommand(io.BytesIO(bundle.archive), archive)
    yield f"sh -c {shell(install(bundle.version))} <{shell(archive)} && {shell('rm', '-f', archive)}"
    forget(vault)
