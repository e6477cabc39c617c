"""Retiring: judged again under the lock, marked in the record first, then carried out on the node."""

from __future__ import annotations

import json
import time
from typing import Any

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host as current
from pyinfra.context import state as current_state

from blackstart.converge import retire, retire_commands, retire_node, retire_text
from blackstart.converge.retire_seen import looked_at, see
from blackstart.reading import Present
from blackstart.restore.keeper import record_on
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.lock import LockError
from blackstart.verdict_guard import refuse_apply
from facts.lxc_config import LxcConfigs
from operations import lock
from operations.common import Commands, refuse
from operations.host_shell import ShellError
from operations.live import EVERYTHING, live, spoil
from operations.record import forget, reading, store_command
from operations.vault_shell import write
from operations.verdict import known, say_once, verdict


@operation()
def retired(spec: NodeSpec, what: str, by: str, commit: str, shown: bool = False) -> Commands:
    """A container, a dataset (with a slash in it) or a unit (with a dot) that the spec no longer has.

    `shown`: the plan was already.
    """
    about = known(spec)
    now = live(looked_at(what))
    refusal = refuse_apply(verdict(spec, about, now, {}))
    if refusal:
        yield refuse(str(refusal))
        return
    plan = retire.plan(see(spec, about.record, now, current.get_fact(LxcConfigs)), what, int(time.time()))
    if plan.refusal:
        yield refuse(f"{spec.name}: {plan.refusal}. Next: {plan.then}")
        return
    if not shown:
        say_once(retire_text.as_text(plan))
    if plan.recorded:
        event = {"event": "retired", "what": what, "by": by, "commit": commit, "datasets": plan.recorded}
        for vault, found in about.readings.items():
            if isinstance(record_on(found, spec.name), Present):
                patch = {"retired_datasets": plan.recorded}
                yield FunctionCommand(_mark, (vault, spec.name, patch, event), {})
    yield from retire_commands.commands(plan)
    if not plan.is_empty:
        spoil(EVERYTHING)


def _mark(state: State, host: Host, vault: str, node: str, patch: dict[str, Any], event: dict[str, Any]) -> bool:
    document = json.dumps({"patch": patch, "event": event | {"at": int(time.time())}})
    try:
        write(vault, node, store_command(node), document)
    except ShellError as error:
        host.log_styled(f"{node}: vault {vault} did not write its record: {error}; nothing more is done", fg="red")
        return False
    forget(vault)
    return True


@operation()
def node_retired(node: str, vault: str, pool: str, nodes: list[str], by: str, commit: str) -> Commands:
    """On one vault: it stops to pull from a node that the fleet no longer has, and its record says so."""
    if current_state.is_executing:
        try:
            lock.hold(current, node, lock.said_by(by, commit, "retire"))
        except LockError as error:
            yield refuse(str(error))
            return
        forget(vault)
    record = record_on(reading(vault, pool), node)
    if not isinstance(record, Present) and not retire_node.plan(node, nodes, {vault: record}).unread:
        return  # another vault has it; the command line asks all of them
    plan = retire_node.plan(node, nodes, {vault: record})
    if plan.refusal:
        yield refuse(f"{node}: {plan.refusal}. Next: {plan.then}")
    elif plan.vaults:
        yield retire_node.command(node)
        event = {"event": "retired", "what": node, "by": by, "commit": commit}
        yield FunctionCommand(_mark, (vault, node, {"retired": True}, event), {})


@operation()
def let_go(node: str) -> Commands:
    """The end of `node_retired`, on every vault."""
    if current_state.is_executing:
        lock.release(node)
    return
    yield


@operation()
def unsaid() -> Commands:
    """Started without a word on what to retire."""
    yield refuse("say what to retire: blackstart retire NODE/CONTAINER, NODE/DATASET or NODE")
