"""Commands on a vault, from inside an operation that runs for another host."""

from __future__ import annotations

import time

from pyinfra.context import host as current

from operations.held import lost, reach, under
from operations.host_shell import ShellError, run
from operations.record import vault_host


def on_vault(vault: str, command: str, stdin: str | None = None, tries: int = 1) -> str:
    """stdout of one command on a vault of the inventory, as root; connected when it is not. Raises ShellError.

    `tries`: more than once where waiting helps. A connection that is there stays: the locks of all nodes of this run
    hang on it.

    Not for a node whose lock was lost meanwhile; what is written for one goes through `write`.
    """
    for left in range(tries - 1, -1, -1):
        why = lost(current.name)
        if why:
            raise ShellError(why)
        try:
            host = vault_host(vault)
            if host is None:
                raise ShellError(f"vault {vault} could not be reached")
            reach(current, vault)
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
