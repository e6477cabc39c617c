"""What to do next for a dataset that is being restored, from what the node's gate says is there. Pure.

Nothing is remembered between runs: a killed restore is told by guids and receive tokens how far it had come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from blackstart.vault.restore_plan import Item, Start


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset on the node. `snapshots`: guids. `token`: where a cut-off receive can go on. `mark`: see Item."""

    exists: bool
    snapshots: frozenset[str] = frozenset()
    token: str = ""
    mark: str = ""


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


_ABSENT = re.compile(r"cannot open '([^']+)': dataset does not exist$")
_NAMED = re.compile(r"'([^']+)'")


def parse_state(text: str) -> State:
    """The gate's answer to `state`: zfs list's own lines behind `O `, its errors behind `E `, `=` at the end.

    Columns: name, guid, receive_resume_token, mark. Raises ValueError when it was cut off or cannot be understood.
    """
    lines = text.splitlines()
    if not lines or lines[-1] != "=":
        raise ValueError("the node's answer was cut off")
    tokens: dict[str, tuple[str, str]] = {}
    guids: dict[str, set[str]] = {}
    absent: set[str] = set()
    unreadable: dict[str, str] = {}
    for line in lines[:-1]:
        mark, rest = line[:2], line[2:]
        columns = rest.split("\t")
        if mark == "O " and len(columns) == 4:
            name, at, _ = columns[0].partition("@")
            if at:
                guids.setdefault(name, set()).add(columns[1])
            else:
                tokens[name] = (_value(columns[2]), _value(columns[3]))
        elif mark == "E ":
            gone, named = _ABSENT.search(rest), _NAMED.search(rest)
            if gone:
                absent.add(gone[1])
            else:
                unreadable[named[1] if named else ""] = rest
        else:
            raise ValueError(f"{line!r} is no answer of the restore gate")
    places = {name: Place(True, frozenset(guids.get(name, ())), *values) for name, values in tokens.items()}
    return State(places | {name: Place(False) for name in absent}, unreadable)


def _value(text: str) -> str:
    return "" if text == "-" else text


def next_action(item: Item, state: State, finished: bool, token_valid: bool | None = None) -> Action:
    """The next thing to do for `item`. `finished`: this run's cut-over of it succeeded.

    `token_valid`: what the sender says about the receive token; None while it was not asked.
    """
    for name in (item.dataset, item.landing):
        why = state.unreadable.get(name) or state.unreadable.get("")
        if why or name not in state.places:
            return Action("fail", f"{name} could not be read on the node: {why or 'nothing was said about it'}")
    there, landing = state.places[item.dataset], state.places[item.landing]
    if there.mark == item.mark:
        # The cut-over may have been killed after its rename: its script is run again, and changes what is left.
        return Action("done") if finished else Action("cutover")
    if item.guid in landing.snapshots:
        return Action("cutover")
    if not landing.exists:
        return Action("send")
    if landing.token:
        return Action("abort") if token_valid is False else Action("resume", token=landing.token)
    return Action("fail", f"{item.landing} is on the node with neither the snapshot (guid {item.guid}) nor a token")


def after(item: Item, state: State, action: Action) -> State:
    """The state once `action` succeeded, so that the node need not be asked again; its scripts check it once more."""
    there, landing = state.places[item.dataset], state.places[item.landing]
    if action.do in ("send", "resume"):
        landing = Place(True, frozenset({item.guid}))
    elif action.do == "abort":
        landing = Place(False)
    elif action.do == "cutover":
        there, landing = Place(True, frozenset({item.guid}), mark=item.mark), Place(False)
    return State({**state.places, item.dataset: there, item.landing: landing}, state.unreadable)


def ready(starts: Iterable[Start], in_place: set[str], answered: set[str], begun: set[str]) -> list[Start]:
    """Containers that can be started now, in the plan's order."""
    return [
        start
        for start in starts
        if start.container not in begun and set(start.datasets) <= in_place and set(start.after) <= answered
    ]
