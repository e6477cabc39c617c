"""Commands on a vault, or on the current host, from inside an operation that runs for another host."""

from __future__ import annotations

import time
from typing import Any

from paramiko.ssh_exception import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.host import Host
from pyinfra.context import host as current

from operations.held import lost, under
from operations.record import vault_host


class ShellError(Exception):
    """A command failed or the host could not be reached; one clause."""


def rights(host: Host) -> dict[str, Any]:
    """A command run outside of an operation does not see the host's own `_sudo`."""
    return {"_sudo": True} if host.data.get("_sudo") else {}


def run(host: Host, command: str, stdin: str | None = None) -> str:
    """stdout of one command on a connected host, as root. Raises ShellError with what it said."""
    more: dict[str, Any] = {"_stdin": stdin} if stdin is not None else {}
    try:
        status, output = host.run_shell_command(StringCommand(command), **more, **rights(host))
    except (OSError, EOFError, SSHException) as error:
        raise ShellError(f"{host.name}: {error or 'the connection broke'}") from error
    if not status:
        lines = [line for line in output.stderr.splitlines() if line.strip()]
        raise ShellError(f"{host.name}: {lines[-1] if lines else 'a command failed without a word'}")
    return str(output.stdout)


def on_vault(vault: str, command: str, stdin: str | None = None, tries: int = 1) -> str:
    """The same on a vault of the inventory, connected when it is not; `tries` more than once where waiting helps.

    A connection that is there stays: the locks of all nodes of this run hang on it.

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
