"""The places that are told of what is found: their URLs are secrets, so they lie in a file that few may read."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from pyinfra.api.operation import operation
from pyinfra.context import host, state
from pyinfra.facts.files import Sha256File

from blackstart.announce.places import Place, dump
from blackstart.change import shell
from blackstart.secret import SecretError, resolve
from blackstart.vault import layout
from operations.common import Commands, refuse, with_stdin

_alone = threading.Lock()
_resolved: dict[str, str] = {}  # a password manager is asked once a run, not once a host


@operation()
def places(references: tuple[tuple[str, str], ...], folder: Path) -> Commands:
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
    there = host.get_fact(Sha256File, path=layout.ANNOUNCE)
    wanted = hashlib.sha256(text.encode()).hexdigest()
    if there == wanted or (not text and not there):
        return
    yield with_stdin(put(), text)


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
