"""What to do next for a dataset that is being restored, from what the node's gate says is there. Pure.

Nothing is remembered between runs: a killed restore is told by guids and receive tokens how far it had come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from blackstart.vault.restore_plan import Item, Start


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset on the node. `snapshots`: guids. `token`: where a cut-off receive can go on."""

    exists: bool
    snapshots: frozenset[str] = frozenset()
    token: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Everything the gate answered: name -> place; `unreadable`: name -> why."""

    places: Mapping[str, Place] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """`do`: send from the start, resume by token, abort (own stale receive), cutover, done, fail (with `why`)."""

    do: Literal["send", "resume", "abort", "cutover", "done", "fail"]
    why: str = ""
    token: str = ""


def parse_state(text: str) -> State:
    """The gate's answer to `state`. Raises ValueError when it was cut off.

    `D name <tab> token` a dataset, `A name` absent, `U name <tab> why`, `S name <tab> guid` a snapshot, `=` the end.
    """
    lines = text.splitlines()
    if not lines or lines[-1] != "=":
        raise ValueError("the node's answer was cut off")
    tokens: dict[str, str] = {}
    absent: set[str] = set()
    unreadable: dict[str, str] = {}
    guids: dict[str, set[str]] = {}
    for line in lines[:-1]:
        mark, _, rest = line.partition(" ")
        name, _, value = rest.partition("\t")
        if mark == "D":
            tokens[name] = "" if value == "-" else value
        elif mark == "A":
            absent.add(name)
        elif mark == "U":
            unreadable[name] = value
        elif mark == "S":
            guids.setdefault(name, set()).add(value)
        else:
            raise ValueError(f"{line!r} is no answer of the restore gate")
    places = {name: Place(True, frozenset(guids.get(name, ())), token) for name, token in tokens.items()}
    return State(places | {name: Place(False) for name in absent}, unreadable)


def next_action(item: Item, state: State, finished: bool, token_valid: bool | None = None) -> Action:
    """The next thing to do for `item`. `finished`: this run's cut-over of it succeeded.

    `token_valid`: what the sender says about the receive token; None while it was not asked.
    """
    for name in (item.dataset, item.landing):
        if name in state.unreadable:
            return Action("fail", f"{name} could not be read on the node: {state.unreadable[name]}")
        if name not in state.places:
            return Action("fail", f"the node said nothing about {name}")
    there, landing = state.places[item.dataset], state.places[item.landing]
    if item.guid in there.snapshots:
        # The cut-over may have been killed after its rename: its script is run again, and changes what is left.
        return Action("done") if finished else Action("cutover")
    if item.guid in landing.snapshots:
        return Action("cutover")
    if not landing.exists:
        return Action("send")
    if landing.token:
        return Action("abort") if token_valid is False else Action("resume", token=landing.token)
    return Action("fail", f"{item.landing} is on the node with neither the snapshot (guid {item.guid}) nor a token")


def ready(starts: Iterable[Start], in_place: set[str], answered: set[str], begun: set[str]) -> list[Start]:
    """Containers that can be started now, in the plan's order."""
    return [
        start
        for start in starts
        if start.container not in begun and set(start.datasets) <= in_place and set(start.after) <= answered
    ]
