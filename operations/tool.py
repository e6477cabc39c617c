"""The tool on a vault, at the version of this checkout, and its libraries for the vault's own Python."""

from __future__ import annotations

import functools
import hashlib
import io
import threading

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.reading import Present, Unknown
from blackstart.vault import layout, libraries
from blackstart.vault.bundle import Bundle, collect, install, pack
from blackstart.vault.libraries import LibrariesError
from blackstart.vault.python import short
from blackstart.vault.upload import beside, cleared
from operations.common import Commands, refuse
from operations.record import forget, reading

_alone = threading.Lock()
_missing: dict[str, str] = {}  # vault -> why its libraries were not brought


@functools.cache
def bundled() -> Bundle:
    """This copy of the tool, as a vault gets it."""
    return pack(collect())


@operation()
def tool(vault: str, pool: str) -> Commands:
    """Brought beside the running version, then the link is switched: what runs goes on with what it has loaded.

    What nothing runs from any more goes then (clear.py).
    """
    bundle = bundled()
    running = reading(vault, pool).tool
    if isinstance(running, Present) and running.value == bundle.version:
        return
    archive = beside(layout.TOOL, f"{bundle.version}.tar.gz")
    yield f"{shell('mkdir', '-p', layout.TOOL)} && {cleared(layout.TOOL)}"
    yield FileUploadCommand(io.BytesIO(bundle.archive), archive)
    yield f"sh -c {shell(install(bundle.version))} <{shell(archive)} && {shell('rm', '-f', archive)}"
    yield f"PYTHONPATH={shell(layout.TOOL + '/current')} {shell('python3', '-m', 'blackstart.vault.clear')}"
    forget(vault)


@operation()
def brought(vault: str, pool: str) -> Commands:
    """The libraries, where the vault has them not. Where they cannot be had, that is said, and the run goes on."""
    if not state.is_executing:
        return
    found = reading(vault, pool)
    if not isinstance(found.python, Present) or isinstance(found.libraries, Unknown):
        why = [each.why for each in (found.python, found.libraries) if isinstance(each, Unknown)]
        _missing[vault] = f"its Python could not be read: {'; '.join(why)}"
        return
    lock, target = libraries.lock_file().read_bytes(), found.python.value
    name = libraries.name(lock, target)
    there = found.libraries.value if isinstance(found.libraries, Present) else ()
    if {name, short(lock)} <= set(there):
        return
    try:
        with _alone:
            archive = libraries.archive(target)
    except LibrariesError as error:
        _missing[vault] = str(error)
        host.log_styled(_sentence(vault), fg="yellow")
        return
    file = beside(layout.TOOL, f"{name}.tar.gz")
    yield cleared(layout.TOOL)
    yield FileUploadCommand(str(archive), file, _temp_dir="/var/tmp")
    yield shell("sh", "-c", libraries.install(name, file, hashlib.sha256(archive.read_bytes()).hexdigest()))
    forget(vault)


def _sentence(vault: str) -> str:
    return (
        f"{vault}: the tool's libraries were not brought ({_missing[vault]}): {libraries.CANNOT}. Next: run "
        f"`pyinfra inventory deploys/vault.py` on a machine that reaches a package index"
    )


@operation()
def complete(vault: str) -> Commands:
    """The last word of vault.py: everything else is done, but a vault that cannot run the tool is no success."""
    if state.is_executing and vault in _missing:
        yield refuse(_sentence(vault))
