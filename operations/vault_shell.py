"""Commands on a vault, from inside an operation that runs for another host."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from pyinfra.context import host as current

from operations.held import lost, reach, under
from operations.host_shell import ShellError, run
from operations.record import rewritten, vault_host
from operations.together import begun


class _Beside(NamedTuple):
    vault: str
    answer: Future[str]
    taken: Callable[[str], object]
    otherwise: str


_beside: dict[str, _Beside] = {}  # node -> what its vault is writing, while the node itself is worked on


def on_vault(vault: str, command: str, stdin: str | None = None, tries: int = 1) -> str:
    """stdout of one command on a vault of the inventory, as root; connected when it is not. Raises ShellError.

    `tries`: more than once where waiting helps. A connection that is there stays: the locks of all nodes of this run
    hang on it.

    Not for a node whose lock was lost meanwhile; what is written for one goes through `write`.
    """
    reach(current, vault)
    return _tried(vault, command, stdin, tries)


def _tried(vault: str, command: str, stdin: str | None, tries: int) -> str:
    for left in range(tries - 1, -1, -1):
        why = lost(current.name)
        if why:
            raise ShellError(why)
        try:
            host = vault_host(vault)
            if host is None:
                raise ShellError(f"vault {vault} could not be reached")
            return run(host, command, stdin)
        except ShellError:
            if not left:
                raise
            time.sleep(5)
    raise AssertionError


def write(vault: str, node: str, command: str, stdin: str | None = None, tries: int = 1) -> str:
    """The same for a command that writes for `node`: the vault itself asks whether this run still holds the lock.

    This side learns only with the next sign of life that it was lost, and a broken connection is tried anew.
    """
    return on_vault(vault, under(node, vault, command), stdin, tries)


def write_beside(
    vault: str, node: str, command: str, stdin: str, taken: Callable[[str], object], otherwise: str
) -> None:
    """As `write`, beside what is done on the node until `settled`. `taken` gets what was said; it may raise ShellError.

    `otherwise`: what a failure means, for the person who reads it.
    """
    assert node not in _beside
    reach(current, vault)  # here, where it is the same step of the run each time
    answer = begun(partial(_tried, vault, under(node, vault, command), stdin, 3))
    _beside[node] = _Beside(vault, answer, taken, otherwise)


def settled(node: str) -> None:
    """Wait for what is being written beside; nothing where nothing is. Raises ShellError."""
    asked = _beside.pop(node, None)
    if asked:
        try:
            asked.taken(asked.answer.result())
        except ShellError as error:
            rewritten(asked.vault)
            raise ShellError(f"{asked.otherwise}: {error}") from error
