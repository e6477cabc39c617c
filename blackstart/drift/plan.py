"""What an apply would do to one node, and the digest that stands for it: of wishes and of live state. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from blackstart.change import Change
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.drift.cause import History, Key, key
from blackstart.drift.compare import is_left
from blackstart.drift.finding import Cause
from blackstart.drift.wishes import as_kept
from blackstart.live.model import Live

Does = Literal[
    "change",  # the spec's value is put in place
    "leave",  # somebody changed it on the host: it stays until a person says whose value counts
    "report",  # no deploy may change it, or nobody wants it: said, never touched
    "unread",  # could not be read: nothing is planned over it
]


@dataclass(frozen=True, slots=True)
class Step:
    """One difference and what becomes of it."""

    change: Change
    cause: Cause
    does: Does


@dataclass(frozen=True, slots=True)
class Plan:
    """`digest`: 16 hex digits; equal ones mean equal wishes, equal differences, and the same to be done about them."""

    steps: tuple[Step, ...]
    digest: str

    @property
    def left(self) -> frozenset[Key]:
        """What the deploy must not touch."""
        return frozenset(key(step.change) for step in self.steps if step.does == "leave")

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return any(step.does == "change" for step in self.steps)


def plan(wanted: Wanted, live: Live, take_spec: bool) -> Plan:
    """`wanted`: at the epoch of the node's record. `take_spec`: the spec's value counts, also over a person's."""
    history, changes = History(live), diff(wanted, live)
    causes = [history.cause(change) for change in changes]
    whole = set() if take_spec else {key(c) for c, cause in zip(changes, causes, strict=True) if is_left(c, cause)}
    # A file is put in place whole, so what is left of it is the whole file.
    files = {name for resource, name, _ in whole if resource == "file"}
    left = whole | {key(change) for change in changes if change.resource == "file" and change.name in files}
    steps = tuple(
        Step(change, cause, _does(change, key(change) in left)) for change, cause in zip(changes, causes, strict=True)
    )
    return Plan(steps, _digest(wanted, steps))


def _does(change: Change, left: bool) -> Does:
    if change.action == "unknown":
        return "unread"
    if change.action in ("report", "unmanaged"):
        return "report"
    return "leave" if left else "change"


def _digest(wanted: Wanted, steps: tuple[Step, ...]) -> str:
    seen = [[*key(each.change), each.change.spec, each.change.live, each.change.action, each.does] for each in steps]
    text = json.dumps([as_kept(wanted), seen], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
