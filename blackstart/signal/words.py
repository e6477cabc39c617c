"""What is said between a vault's service and the gate of a node (templates/signal/gate.sh.j2), a line each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from blackstart.signal.asked import TEXT
from blackstart.signal.model import Taken

FULL = 95  # percent of a pool: above it no snapshot is taken, since what is held can never be given back


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: it was done. `lines` without the closing one; `content`: what followed a line `C BYTES`."""

    status: int
    lines: tuple[str, ...] = ()
    content: bytes = b""

    @property
    def why(self) -> str:
        """What went wrong, in the words of the node."""
        return "; ".join(self.told("T")) or f"status {self.status}"

    def told(self, kind: str) -> list[str]:
        """The lines of one kind, without the letter in front."""
        return [line[2:] for line in self.lines if line.startswith(f"{kind} ")]


@dataclass(frozen=True, slots=True)
class Look:
    """Of a node, as of a moment ago: pool -> how full in percent, and pools that are not as they should be."""

    full: dict[str, int] = field(default_factory=dict)
    ill: dict[str, str] = field(default_factory=dict)

    def refusal(self) -> str:
        """Why no snapshot may be taken here, "" when it may."""
        for pool, state in self.ill.items():
            return f"pool {pool} is {state}; look: zpool status {pool}"
        for pool, percent in self.full.items():
            if percent > FULL:
                why = "what a signal holds cannot be freed: make room first"
                return f"pool {pool} is {percent} % full, and {why}; look: zfs list -o space -r {pool}"
        return ""


def request(number: int, verb: str, words: Iterable[str]) -> bytes:
    """One line; an empty word is `-`: the shell takes a run of tabs for one. Raises ValueError for a tab in a word."""
    said = [str(number), verb, *(word or "-" for word in words)]
    if not all(re.fullmatch(TEXT, word) for word in said):
        raise ValueError("a word with a tab or a line break")
    return ("\t".join(said) + "\n").encode()


def taken(answer: Answer) -> tuple[Taken, ...]:
    """The snapshots of an answer to `open` or `found`. Raises ValueError when a line is none."""
    found = []
    for line in (each for each in answer.lines if not each.startswith(("T ", "P "))):
        name, tab, guid = line.partition("\t")
        dataset, at, short = name.partition("@")
        if not (tab and at and guid.isdigit()):
            raise ValueError(f"{line!r} is no snapshot")
        found.append(Taken(dataset, short, guid))
    return tuple(sorted(found, key=lambda each: each.dataset))


def look(answer: Answer) -> Look:
    """Of an answer to `look` or `open`. Raises ValueError when the node could not look, or what it says is none."""
    if answer.status or not answer.told("P"):
        raise ValueError(answer.why)
    made = Look({}, {})
    for line in answer.told("P"):
        pool, capacity, health = line.split("\t")
        made.full[pool] = int(capacity)
        if health not in ("ONLINE", "DEGRADED"):
            made.ill[pool] = health
    return made


def held(answer: Answer) -> set[tuple[str, str]]:
    """(token, snapshot's name) of what a vault's signals hold on a node. Raises ValueError."""
    if answer.status:
        raise ValueError(answer.why)
    return {(token, name) for token, _, name in (line.partition(" ") for line in answer.told("H"))}
