"""One command on a connected host, beside pyinfra's own operations."""

from __future__ import annotations

from typing import Any

from paramiko.ssh_exception import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.host import Host


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
