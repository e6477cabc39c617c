"""One cached reading per host and phase, since pyinfra itself caches no facts.

Prepare and Execute have a reading of their own, since minutes may lie between them. An operation that changed something
says which parts of the reading that spoils; the next one that looks at such a part reads the host again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyinfra.context import host, state

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.live.query import query_for
from facts.node import NodeReading


@dataclass
class _Kept:
    live: Live
    spoiled: set[str] = field(default_factory=set)


EVERYTHING = "everything"
_kept: dict[tuple[str, bool], _Kept] = {}
readings: dict[str, int] = {}  # host -> how often it was read, in both phases together


def live(wanted: Wanted, *parts: str) -> Live:
    """The current host's reading, new where one of `parts` (fields of Live) was spoiled since the last one."""
    key = (host.name, state.is_executing)
    kept = _kept.get(key)
    if kept is None or kept.spoiled & {EVERYTHING, *parts}:
        readings[host.name] = readings.get(host.name, 0) + 1
        kept = _kept[key] = _Kept(host.get_fact(NodeReading, query=query_for(wanted)))
    return kept.live


def spoil(*parts: str) -> None:
    """The commands just run changed these parts of the current host (EVERYTHING: all of them)."""
    kept = _kept.get((host.name, state.is_executing))
    if kept:
        kept.spoiled.update(parts)
