"""Tokens for the vaults' services: a node's own, made there, and told to every vault of the fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host as current
from pyinfra.context import state as current_state

from blackstart.converge.token import command, heartbeat, is_told, make
from blackstart.converge.wanted import Wanted
from blackstart.reading import Absent, Present, Unknown
from operations.common import Commands, with_stdin
from operations.host_shell import ShellError, run
from operations.live import live, spoil
from operations.record import forget, reading
from operations.vault_shell import on_vault


@operation()
def told(wanted: Wanted, node: str, pools: Mapping[str, str]) -> Commands:
    """Every vault whose service the node posts to knows its token; one that does not answer learns it by the next run.

    `pools`: vault -> its pool.
    """
    behind = []
    for vault in wanted.tokens:
        known = is_told(node, live(wanted, "files"), reading(vault, pools[vault]))
        if isinstance(known, Unknown):
            if current_state.is_executing:
                current.log_styled(_untold(node, vault, known.why), fg="yellow")
        elif not known:
            behind.append(vault)
    if behind:
        yield FunctionCommand(_tell, (node, behind), {})
        spoil("files")


def _untold(node: str, vault: str, why: str) -> str:
    return f"{node}: vault {vault} may not take its heartbeats ({why}); the next run that reaches it tells it"


def _tell(state: State, host: Host, node: str, vaults: list[str]) -> bool:
    """Nothing of a rebuild depends on it: a vault that cannot be told holds nobody up."""
    try:
        digest = run(host, make()).strip()
    except ShellError as error:
        host.log_styled(f"{node}: no token for its heartbeats was made: {error}", fg="red")
        return False
    for vault in vaults:
        try:
            on_vault(vault, command(), heartbeat(node, digest))
        except ShellError as error:
            host.log_styled(_untold(node, vault, str(error).removeprefix(f"{vault}: ")), fg="yellow")
        finally:
            forget(vault)
    return True


@operation()
def kept(vault: str, pool: str, nodes: list[str]) -> Commands:
    """There is a list of tokens, an empty one at first, and those of nodes that the fleet no longer has are revoked."""
    found = reading(vault, pool).tokens
    gone = isinstance(found, Present) and {each.node for each in found.value.values()} - {"", *nodes}
    if gone or isinstance(found, Absent):
        yield with_stdin(command(), json.dumps({"keep": nodes}))
        forget(vault)
