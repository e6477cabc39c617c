"""A run that changes a node holds its lock on each vault that keeps the node, from here until the run ends."""

from __future__ import annotations

import time
from typing import Any

from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.change import shell
from blackstart.reading import Absent, Present
from blackstart.restore.keeper import keepers
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.lock import Held, LockError, holder, script
from operations.common import Commands, refuse
from operations.record import reading, vault_host

_held: dict[tuple[str, str], Held] = {}  # (node, vault)


def take(vault: Host, node: str, line: str) -> Held:
    """The node's lock on a connected vault. Raises LockError."""
    client: Any = getattr(vault.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is None:
        raise LockError(f"{node}: its lock on {vault.name} could not be taken: not connected by SSH")
    command = shell("sh", "-c", script(node, line))
    if vault.data.get("_sudo"):
        command = f"sudo -n {command}"
    try:
        return Held(transport.open_session(timeout=60), node, vault.name, command)
    except LockError:
        raise
    except Exception as error:  # paramiko raises EOFError, SSHException, OSError here
        raise LockError(f"{node}: its lock on {vault.name} could not be taken: {error}") from error


def hold(vault: Host, node: str, line: str) -> None:
    """Take a node's lock on one vault and keep it until `release`. Raises LockError."""
    if (node, vault.name) not in _held:
        _held[node, vault.name] = take(vault, node, line)


@operation()
def locked(spec: NodeSpec, who: str, commit: str, what: str) -> Commands:
    """Hold the lock of this node. Refused with the holder's name when somebody else works on it.

    Not a change: nothing is yielded when it is held. A vault that was never set up has nothing to protect yet, and a
    vault whose own pool is not there cannot keep its own lock; the guard then judges what may be done to it.
    """
    if not state.is_executing:
        return
    why = ""
    for vault, pool in keepers(spec).items():
        records = reading(vault, pool).records
        own = vault == spec.name and not isinstance(records, Present)
        if (spec.name, vault) in _held or own or isinstance(records, Absent):
            continue
        host = vault_host(vault)
        try:
            if host is None:
                raise LockError(f"{spec.name}: vault {vault} could not be reached to lock it")
            _held[spec.name, vault] = take(host, spec.name, holder(who, commit, what, int(time.time())))
        except LockError as error:
            why = str(error)
            break
    if why:
        release(spec.name)
        yield refuse(why)


def release(node: str) -> None:
    """Let go of a node's locks: at the end of a run, or before a restore on the vault takes over."""
    for key in [key for key in _held if key[0] == node]:
        _held.pop(key).release()


@operation()
def released(spec: NodeSpec) -> Commands:
    """The end of a run. A run that stops earlier lets go when its process ends."""
    if state.is_executing:
        release(spec.name)
    return
    yield
