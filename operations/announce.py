"""The places that are told of what is found: their URLs are secrets, so they lie in a file that few may read."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.announce.places import Place, dump
from blackstart.change import shell
from blackstart.converge.wanted import Wanted
from blackstart.reading import Present, Unknown
from blackstart.secret import SecretError, resolve
from blackstart.vault import layout
from operations.common import Commands, refuse, with_stdin
from operations.live import live, spoil

_alone = threading.Lock()
_resolved: dict[str, str] = {}  # a password manager is asked once a run, not once a host


@operation()
def places(references: tuple[tuple[str, str], ...], folder: Path, wanted: Wanted) -> Commands:
    """Resolved here and now, carried on the channel alone. Prepare never sees them.

    `references`: each with the severity that it is told of, "" for all of them.
    """
    if not state.is_executing:
        return
    try:
        with _alone:
            text = dump(Place(_url(each, folder), frozenset({severity} - {""})) for each, severity in references)
    except SecretError as error:
        yield refuse(f"{host.name}: nobody could be told of anything: {error}")
        return
    found = live(wanted, "files").files
    if isinstance(found, Unknown):
        yield refuse(f"{host.name}: nobody could be told of anything: {layout.ANNOUNCE} was not read: {found.why}")
        return
    there = found.value.get(layout.ANNOUNCE) if isinstance(found, Present) else None
    if there.sha256 == hashlib.sha256(text.encode()).hexdigest() if there else not text:
        return
    yield with_stdin(put(), text)
    spoil("files")


def put() -> str:
    """Shell that replaces the file whole with what comes on stdin; root and the checks read it, nobody else."""
    new = f"{layout.ANNOUNCE}.new"
    return "\n".join(
        [
            "set -e; umask 077",
            shell("mkdir", "-p", "-m", "0755", layout.CONFIG),
            f"cat >{shell(new)}",
            shell("chown", f"root:{layout.READ}", new),
            shell("chmod", "0640", new),
            shell("sync", new),
            shell("mv", "-T", new, layout.ANNOUNCE),
        ]
    )


def _url(reference: str, folder: Path) -> str:
    """One line. Raises SecretError."""
    if reference not in _resolved:
        value = resolve(reference, folder).decode(errors="replace").strip()
        if len(value.splitlines()) != 1:
            raise SecretError(f"{reference}: is not one line with one URL of Apprise's")
        _resolved[reference] = value
    return _resolved[reference]
