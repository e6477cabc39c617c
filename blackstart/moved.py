"""What leaves a node's spec while its data stays: a container that moved, a name that changed. Pure.

Told by the spec as last applied, which the vaults have of every node that they keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blackstart.live.model import Live
from blackstart.reading import ABSENT, NOT_ASKED, Present, Reading, Unknown
from blackstart.restore.keeper import choose, keepers
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault.records import VaultReading
from blackstart.verdict import recorded_spec

_HOW = "(docs/retire.md, Moving or renaming a container)"

Things = dict[str, set[str]]  # "container notes", or "dataset tank/x" of one that stays -> its replicated datasets


def stays_behind(
    spec: NodeSpec, nodes: Mapping[str, NodeSpec], readings: Mapping[str, VaultReading], live: Live
) -> tuple[str, ...]:
    """One sentence for each container or dataset that the spec has no more, or that another node's had before.

    `nodes`: every node of the fleet. Nothing is said of what the vaults or the node did not tell, nor of data that
    was put aside or brought already.
    """
    before = _applied(spec.name, nodes, readings)
    if isinstance(before, Unknown) or not isinstance(live.datasets, Present):
        return ()
    there = live.datasets.value.keys()
    gone = [what for what, names in _only_in(before, Present(spec)).items() if names & there]
    new = [what for what, names in _only_in(Present(spec), before).items() if not names <= there]
    if not gone and not new:
        return ()
    others = sorted({*nodes, *_recorded(readings)} - {spec.name})
    applied = {name: _applied(name, nodes, readings) for name in others}
    wanted = {name: Present(nodes[name]) if name in nodes else ABSENT for name in others}
    goes = {name: _only_in(wanted[name], applied[name]) for name in others} if gone else {}
    comes = {name: _only_in(applied[name], wanted[name]) for name in others} if new else {}
    own = [what for what in new if not _having(what, comes)]
    return (
        *(_gone(spec.name, what, _having(what, goes), own) for what in gone),
        *(_came(spec.name, what, each) for what in new for each in _having(what, comes)),
    )


def _gone(node: str, what: str, others: list[str], new: list[str]) -> str:
    said = f"{what} is not in the spec of {node} any more"
    if others:
        return f"{said}, {', '.join(others)} has it now: its data does not move by itself {_HOW}"
    alike = [each for each in new if each.split()[0] == what.split()[0]]
    if alike:
        return f"{said}, {', '.join(alike)} is new: data does not move to another name by itself {_HOW}"
    return f"{said}: it stays as it is, with its data"


def _came(node: str, what: str, other: str) -> str:
    return f"{what} is new in the spec of {node}, {other} had it before: its data does not move by itself {_HOW}"


def _having(what: str, things: Mapping[str, Things]) -> list[str]:
    return [name for name, each in things.items() if what in each]


def _applied(name: str, nodes: Mapping[str, NodeSpec], readings: Mapping[str, VaultReading]) -> Reading[NodeSpec]:
    """The spec as last applied; absent only where every vault that would know of it was asked."""
    _, record = choose(readings, name)
    if isinstance(record, Present):
        return recorded_spec(record.value)
    return record if name in nodes and keepers(nodes[name]).keys() <= readings.keys() else NOT_ASKED


def _recorded(readings: Mapping[str, VaultReading]) -> Iterator[str]:
    for each in readings.values():
        if isinstance(each.records, Present):
            yield from each.records.value


def _only_in(one: Reading[NodeSpec], other: Reading[NodeSpec]) -> Things:
    """What has replicated data in one spec and is not in the other; nothing where one of them is not known."""
    if not isinstance(one, Present) or isinstance(other, Unknown):
        return {}
    names = {item.name for item in wanted_datasets(other.value)} if isinstance(other, Present) else set()
    containers = other.value.containers if isinstance(other, Present) else {}
    found: Things = {}
    for item in wanted_datasets(one.value):
        if item.replicate and item.name not in names:
            whole = item.container and item.container not in containers
            found.setdefault(f"container {item.container}" if whole else f"dataset {item.name}", set()).add(item.name)
    return found
