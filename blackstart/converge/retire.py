"""Retiring a container or a dataset that the spec no longer has: stopped, taken out of the way, never destroyed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blackstart.change import shell
from blackstart.converge import paths
from blackstart.converge.aside import Move, move, tree
from blackstart.converge.retire_obstacle import obstacle
from blackstart.converge.retire_seen import Seen, datasets_of
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import ON_VAULT_ONLY

OURS = "# Owned by blackstart"  # the first line of templates/lxc.conf.j2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to happen, or why not: `refusal` (one sentence) with `then`, the next command to type.

    `unread`: refused because something could not be read. `container`, `unit`: to be stopped, with their files.
    `recorded`: replicated dataset -> its new name, for the vaults' record; ON_VAULT_ONLY where the node lacks it.
    """

    node: str
    name: str
    container: str = ""
    unit: str = ""
    moves: tuple[Move, ...] = ()
    recorded: dict[str, str] | None = None
    said: tuple[str, ...] = ()
    refusal: str = ""
    then: str = ""
    unread: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.container or self.unit or self.moves or self.recorded)


def plan(seen: Seen, name: str, now: int) -> Plan:
    """`name` with a slash is a dataset, with a dot a unit, else a container.

    `now`: seconds since 1970, for the date in the new names.
    """
    node = seen.node
    for what, reading in (
        ("datasets", seen.live.datasets),
        ("containers", seen.live.containers),
        ("LXC's configs", seen.configs),
        ("the vault's record", seen.record),
        ("the spec as last applied", seen.applied),
    ):
        if isinstance(reading, Unknown):
            why = f"nothing is retired, {what} could not be read: {reading.why}"
            return Plan(node, name, refusal=why, then=shell("blackstart", "why", node), unread=True)
    if "/" in name:
        return _dataset(seen, name, now)
    return _unit(seen, name) if "." in name else _container(seen, name, now)


def _refuse(seen: Seen, name: str, why: str, *then: str) -> Plan:
    return Plan(seen.node, name, refusal=why, then=shell(*then))


def still_there(spec: NodeSpec, name: str) -> tuple[str, str]:
    """What is said of a container that the spec has, and the next command."""
    why = f"the spec still has container {name}: remove containers/{name}.toml first, then apply"
    return why, shell("blackstart", "apply", spec.name)


def _container(seen: Seen, name: str, now: int) -> Plan:
    node, configs = seen.node, seen.config_texts
    if name in seen.spec.containers:
        why, then = still_there(seen.spec, name)
        return Plan(node, name, refusal=why, then=then)
    if isinstance(seen.applied, Present) and name in seen.applied.value.containers:
        why = f"container {name} is still in the spec as last applied: a rebuild would bring it back"
        return _refuse(seen, name, why, "blackstart", "apply", node)
    there = seen.live.containers.value.get(name) if isinstance(seen.live.containers, Present) else None
    text = configs.get(name)
    if there and there.state == "ORPHANED":
        why = f"processes of {name} run without LXC's monitor: end them, or reboot {node}"
        return _refuse(seen, name, why, "blackstart", "why", node)
    if text is None:
        return _nothing(seen, name, bool(there))
    if not text.startswith(OURS):
        why = f"container {name} was not made by blackstart (its config does not begin with {OURS!r}): it is yours"
        return _refuse(seen, name, why, "blackstart", "why", node)
    moves: list[Move] = []
    said: list[str] = []
    for dataset in datasets_of(seen, name, text):
        refused = obstacle(seen, dataset, name)
        if refused:
            said.append(f"{dataset} stays as it is: {refused[0]}")
        else:
            moves.append(move(seen.live, dataset, name, now, moves))
    return Plan(node, name, name, moves=tuple(moves), recorded=_recorded(seen, moves), said=tuple(said))


def _nothing(seen: Seen, name: str, runs: bool) -> Plan:
    """No config: it was retired before, it never was, or it runs without one."""
    node = seen.node
    if runs:
        why = f"container {name} runs, and has no config that says what belongs to it: stop it by hand first"
        return _refuse(seen, name, why, "blackstart", "why", node)
    before = re.compile(r"[^/]+/retired/" + re.escape(name) + r"-\d{4}-\d\d-\d\d")
    aside = sorted(each for each in seen.datasets if before.fullmatch(each))
    if aside:
        return Plan(node, name, said=(f"{name} is retired already, see {', '.join(aside)}",))
    others = sorted(set(seen.config_texts) - set(seen.spec.containers))
    why = f"{node} has no container {name}; not in the spec there: {', '.join(others) or 'none'}"
    return _refuse(seen, name, why, "blackstart", "why", node)


def _unit(seen: Seen, name: str) -> Plan:
    node, files = seen.node, seen.files
    if isinstance(files, Unknown):
        why = f"nothing is retired, {node}'s files could not be read: {files.why}"
        return Plan(node, name, refusal=why, then=shell("blackstart", "why", node), unread=True)
    if name in seen.spec.node.host.units:
        why = f"the spec still has unit {name}: remove it from nodes/{node}.toml first, then apply"
        return _refuse(seen, name, why, "blackstart", "apply", node)
    if isinstance(seen.applied, Present) and name in seen.applied.value.node.host.units:
        why = f"unit {name} is still in the spec as last applied: a rebuild would bring it back"
        return _refuse(seen, name, why, "blackstart", "apply", node)
    if paths.unit_mark(name) in files:
        return Plan(node, name, unit=name)
    if f"{paths.UNITS}/{name}" in files:
        why = f"unit {name} did not come from the spec: it is yours"
        return _refuse(seen, name, why, "blackstart", "why", node)
    return Plan(node, name, said=(f"{node} has no unit {name} of ours",))


def _dataset(seen: Seen, name: str, now: int) -> Plan:
    node, there = seen.node, seen.datasets
    refused = obstacle(seen, name, "")
    if refused:
        return _refuse(seen, name, f"{name}: {refused[0]}", *refused[1])
    if name in there:
        made = move(seen.live, name, name.rsplit("/", 1)[1], now)
        return Plan(node, name, moves=(made,), recorded=_recorded(seen, [made]))
    known = seen.record.value.datasets.get(name) if isinstance(seen.record, Present) else None
    if known is None:
        return _refuse(seen, name, f"{node} has no dataset {name}, and no record names it", "blackstart", "why", node)
    if name.split("/")[0] not in there:
        why = f"pool {name.split('/')[0]} is not imported on {node}: whether {name} is there cannot be told"
        return Plan(node, name, refusal=why, then=shell("blackstart", "why", node), unread=True)
    if known.retired:
        where = f", see {known.retired}" if known.retired != ON_VAULT_ONLY else ""
        return Plan(node, name, said=(f"{name} is retired already{where}",))
    return Plan(node, name, recorded={name: ON_VAULT_ONLY}, said=(f"{name} is not on {node} any more",))


def _recorded(seen: Seen, moves: list[Move]) -> dict[str, str]:
    if not isinstance(seen.record, Present):
        return {}
    known = seen.record.value.datasets
    return {
        each: made.aside + each.removeprefix(made.dataset)
        for made in moves
        for each in tree(sorted(known), made.dataset)
    }
