"""A signal as it is kept: one line of the journal at each change, and one file that people and programs read.

Plain dataclasses and JSON: pruning on the vault reads them with nothing but Python's standard library.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

FORMAT = 1
TAG = "blackstart-signal-"  # the hold on a node: this and the signal's token
TOKEN = re.compile(r"[0-9a-f]{16}")

# `opening`: not answered yet. `failed`: it never came to be. The others have been answered.
State = Literal["opening", "failed", "open", "closed", "expired"]


@dataclass(frozen=True, slots=True)
class Taken:
    """One snapshot, by what tells it from any other: its guid."""

    dataset: str
    snapshot: str  # after the @
    guid: str


@dataclass(frozen=True, slots=True)
class OnNode:
    """What was done on one node. `scope`: the word its gate knows.

    `spec`, `commit`: as last applied, "" where the vault does not know. `capture`: the file with what ran then.
    `pulled`: guids that have arrived on the vault. `only_here`: datasets that no vault pulls.
    `notes`: sentences for people.
    """

    scope: str
    snapshot: str = ""
    spec: str = ""
    commit: str = ""
    taken: tuple[Taken, ...] = ()
    capture: str = ""
    pulled: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """`token` names it everywhere. Times are seconds since 1970 by the vault's clock; `closed` 0 while it is not.

    `missing`: node -> why it has no part in this, or that it fell silent before all was pulled.
    `held`: nodes that may still carry its holds.
    `who`: by whose token it was given; `by`: who says that they gave it, the same where nobody said.
    `outcome`: "ok", "failed" once closed. `told`: the last state that people were told of, "" while of none.
    """

    token: str
    scope: str
    severity: str
    reason: str
    who: str
    by: str
    key: str
    digest: str  # of what was asked: the same key for something else is refused
    at: int
    until: int
    state: State
    nodes: dict[str, OnNode] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    closed: int = 0
    outcome: str = ""
    told: str = ""
    format: int = FORMAT

    @property
    def tag(self) -> str:
        return TAG + self.token

    @property
    def answered(self) -> bool:
        """Whether somebody holds its token."""
        return self.state not in ("opening", "failed")

    def guids(self) -> set[str]:
        return {each.guid for node in self.nodes.values() for each in node.taken}

    def on(self, node: str, **changes: Any) -> Signal:
        """The same with something changed about one node."""
        return replace(self, nodes=self.nodes | {node: replace(self.nodes[node], **changes)})


def as_data(signal: Signal) -> dict[str, Any]:
    """Format 1 of the document `signal`."""
    return asdict(signal)


def dump(signal: Signal) -> str:
    """One line of JSON, a newline at its end."""
    return json.dumps(as_data(signal), sort_keys=True) + "\n"


def load(text: str) -> Signal:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        if not TOKEN.fullmatch(data["token"]):
            raise ValueError(f"{data['token']!r} is no token")
        data["nodes"] = {name: _on_node(each) for name, each in data["nodes"].items()}
        # One that was written down before this was kept is not told again.
        return Signal(**{"told": data["state"]} | data | {"held": tuple(data["held"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a signal: {error!r}") from error


def _on_node(data: dict[str, Any]) -> OnNode:
    lists = {name: tuple(data[name]) for name in ("pulled", "only_here", "notes")}
    return OnNode(**data | lists | {"taken": tuple(Taken(**each) for each in data["taken"])})
