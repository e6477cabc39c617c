"""A run that changes a node holds its lock on each vault that keeps the node and answers, until the run ends."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import Any

from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.context import host as current
from pyinfra.context import state

from blackstart.change import shell
from blackstart.reading import Absent, Present, Unknown
from blackstart.restore.keeper import choose, keepers
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.lock import Held, LockError, Taken, holder, path, script, sign, who_has, works
from blackstart.vault.records import VaultReading
from operations.common import Commands, refuse
from operations.held import Holding, fence, locks
from operations.host_shell import ShellError, run
from operations.record import readings, vault_host
from operations.together import together


def take(vault: Host, node: str, line: str, part: str = "") -> Held:
    """The node's lock on a connected vault. Raises LockError."""
    client: Any = getattr(vault.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is None:
        raise LockError(f"{node}: its lock on {vault.name} could not be taken: not connected by SSH")
    command = shell("sh", "-c", script(node, line, part))
    if vault.data.get("_sudo"):
        command = f"sudo -n {command}"
    try:
        return Held(transport.open_session(timeout=60), node, vault.name, command)
    except LockError:
        raise
    except Exception as error:  # paramiko raises EOFError, SSHException, OSError here
        raise LockError(f"{node}: its lock on {vault.name} could not be taken: {error}") from error


def said_by(who: str, commit: str, what: str) -> str:
    """The line of a lock that is taken now, like no other."""
    return holder(who, commit, what, int(time.time()), secrets.token_hex(8))


def hold(vault: Host, node: str, line: str) -> None:
    """Take a node's lock on one vault and keep it until `release`. Raises LockError."""
    if (node, vault.name) not in locks:
        locks[node, vault.name] = Holding(take(vault, node, line), line)
        fence(vault, node)


def signs(spec: NodeSpec) -> dict[str, str]:
    """Vault -> the sign of the node's lock there (vault/lock.py); "" where it has none, or does not answer."""
    names = list(keepers(spec))
    return dict(zip(names, together([partial(_sign, name, spec.name) for name in names]), strict=True))


def _sign(vault: str, node: str) -> str:
    host = vault_host(vault)
    try:
        return run(host, sign(shell(path(node)))).strip() if host else ""
    except ShellError:
        return ""


@operation()
def locked(spec: NodeSpec, who: str, commit: str, what: str) -> Commands:
    """Hold the lock of this node. Refused with the holder's name when somebody else works on it.

    Not a change: nothing is yielded when it is held. The vault whose word counts must give its lock; of the others,
    those that answer. A vault that was never set up has nothing to protect yet, and a vault whose own pool is not
    there cannot keep its own lock; the guard then judges what may be done to it.
    """
    if not state.is_executing:
        return
    found = readings(spec)
    counts, _ = choose(found, spec.name)
    for vault, known in found.items():
        own = vault == spec.name and not isinstance(known.records, Present)
        if (spec.name, vault) in locks or own or isinstance(known.records, Absent):
            continue
        try:
            line = said_by(who, commit, what)
            held = _take_on(vault, known, spec.name, line)
            locks[spec.name, vault] = Holding(held, line, mandatory=not counts or vault == counts)
        except LockError as error:
            if vault != counts and counts and not isinstance(error, Taken):
                current.log_styled(f"{error}; a run that reaches only {vault} would not see this one", fg="yellow")
                continue
            release(spec.name)
            then = "" if isinstance(error, Taken) else f". Next: {shell('blackstart', 'why', spec.name)}"
            yield refuse(f"{error}{then}")
            return
    fence(current, spec.name)


def _take_on(vault: str, said: VaultReading, node: str, line: str) -> Held:
    """Take a node's lock on one vault, which is not asked again when it was silent. Raises LockError."""
    if isinstance(said.records, Unknown):
        raise LockError(f"{node}: its lock on {vault} could not be taken: {said.records.why}")
    host = vault_host(vault)
    if host is None:
        raise LockError(f"{node}: vault {vault} could not be reached to lock it")
    return take(host, node, line)


def host_part(vault: str, node: str, who: str, commit: str) -> str:
    """Hold, until `release`, the lock for the host's own part, beside the node's, which the vault's unit holds.

    Who has it, as one sentence; "" once it is ours. Raises ShellError.
    """
    host = vault_host(vault)
    if host is None:
        raise ShellError(f"vault {vault} could not be reached to lock it")
    try:
        line = said_by(who, commit, "bootstrap.py, the host part")
        locks[node, vault] = Holding(take(host, node, line, "host"), line, "host")
        fence(current, node)
    except Taken as taken:
        return str(taken)
    except LockError as error:
        raise ShellError(str(error).removeprefix(f"{node}: ")) from error
    return ""


def meanwhile(vault: str, node: str) -> str:
    """Who holds the node's lock, before what was seen while they did; "" where nobody does, or none can say."""
    host = vault_host(vault)
    if host is None or (node, vault) in locks:
        return ""
    try:
        said = run(host, who_has(node))
    except ShellError:
        return ""
    return f"{works(node, said)}. Seen meanwhile: " if said else ""


def release(node: str) -> None:
    """Let go of a node's locks: at the end of a run, or before a restore on the vault takes over."""
    for key in [key for key in locks if key[0] == node]:
        locks.pop(key).lock.release()


@operation()
def released(spec: NodeSpec) -> Commands:
    """The end of a run. A run that stops earlier lets go when its process ends."""
    if state.is_executing:
        release(spec.name)
    return
    yield
