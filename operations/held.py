"""The locks that this run holds, and the fence: once one that must be held is lost, nothing more reaches the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyinfra.api.host import Host
from pyinfra.connectors.util import CommandOutput, OutputLine
from pyinfra.context import state

from blackstart import failpoint
from blackstart.vault.lock import Held, proven


@dataclass
class Holding:
    """`mandatory`: on the vault whose word counts. The loss of another one is said once, and the run goes on."""

    lock: Held
    line: str = ""  # what the lock's file says while it is held
    part: str = ""  # see vault/lock.py, `path`
    mandatory: bool = True
    said: bool = False


locks: dict[tuple[str, str], Holding] = {}  # (node, vault)


def lost(node: str) -> str:
    """Why a run must not go on with a node, as one sentence; "" while its lock is held, or none is needed."""
    for (name, _), holding in locks.items():
        if name == node and holding.mandatory and holding.lock.lost:
            return (
                f"{node}: {holding.lock.lost}: somebody else may work on it now, nothing more is done; "
                f"run the same command again, it goes on"
            )
    return ""


def under(node: str, vault: str, command: str) -> str:
    """A command that writes for `node` on `vault`, with the vault's own proof that this run holds the lock there.

    As it is where no lock was taken: on a vault that is being set up, or where the run goes on without that lock.
    """
    holding = locks.get((node, vault))
    return proven(node, holding.line, command, holding.part) if holding else command


def _say(host: Host, node: str) -> None:
    for (name, vault), holding in locks.items():
        if name == node and not holding.mandatory and holding.lock.lost and not holding.said:
            holding.said = True
            why = f"{node}: {holding.lock.lost}; a run that reaches only {vault} would not see this one"
            host.log_styled(why, fg="yellow")


def is_gone(connector: Any) -> bool:
    """Whether the connection broke: the machine went away, or what lies between."""
    client = getattr(connector, "client", None)
    transport = client.get_transport() if client else None
    return transport is not None and not transport.is_active()


def _gone(name: str) -> tuple[str, str]:
    """pyinfra itself only counts the commands that it ran."""
    return (
        f"{name}: the connection broke in the middle of a command",
        f"Next: blackstart why {name}; once it answers, run the same command again",
    )


def reach(host: Host, where: str = "") -> None:
    """Before a command for `host`, or on the vault `where` for it: a step by the name of the operation."""
    if failpoint.is_on():
        operation = host.nested_executing_op_hash or host.executing_op_hash
        names = state.get_op_meta(operation).names if operation else ()
        name = ", ".join(sorted(names)) or "between two operations"
        failpoint.reach(f"{host.name}: {name}{where and f', on {where}'}")


def fence(host: Host, node: str) -> None:
    """From now on every command, reading and file for `host` is refused while `node`'s lock is lost.

    A command that fails since the host went away says so.

    At the connector, since pyinfra's own operations and the operator's deploys go through it as well.
    """
    connector: Any = host.connector
    if getattr(connector, "fenced", False):
        return
    run, put = connector.run_shell_command, connector.put_file

    def fenced_run(*arguments: Any, **more: Any) -> tuple[bool, CommandOutput]:
        why = lost(node)
        if why:
            return False, CommandOutput([OutputLine("stderr", why)])
        _say(host, node)
        reach(host)
        status, output = run(*arguments, **more)
        if not status and is_gone(connector):
            output = CommandOutput([*output, *(OutputLine("stderr", line) for line in _gone(host.name))])
        return bool(status), output

    def fenced_put(*arguments: Any, **more: Any) -> bool:
        why = lost(node)
        if why:
            raise OSError(why)
        reach(host)
        return bool(put(*arguments, **more))

    connector.run_shell_command, connector.put_file, connector.fenced = fenced_run, fenced_put, True
