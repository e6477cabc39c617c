"""The locks that this run holds, and the fence: once one that must be held is lost, nothing more reaches the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyinfra.api.host import Host
from pyinfra.connectors.util import CommandOutput, OutputLine

from blackstart.vault.lock import Held


@dataclass
class Holding:
    """`mandatory`: on the vault whose word counts. The loss of another one is said once, and the run goes on."""

    lock: Held
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


def _say(host: Host, node: str) -> None:
    for (name, vault), holding in locks.items():
        if name == node and not holding.mandatory and holding.lock.lost and not holding.said:
            holding.said = True
            why = f"{node}: {holding.lock.lost}; a run that reaches only {vault} would not see this one"
            host.log_styled(why, fg="yellow")


def fence(host: Host, node: str) -> None:
    """From now on every command, reading and file for `host` is refused while `node`'s lock is lost.

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
        done: tuple[bool, CommandOutput] = run(*arguments, **more)
        return done

    def fenced_put(*arguments: Any, **more: Any) -> bool:
        why = lost(node)
        if why:
            raise OSError(why)
        return bool(put(*arguments, **more))

    connector.run_shell_command, connector.put_file, connector.fenced = fenced_run, fenced_put, True
