"""One cached reading per host and phase, since pyinfra itself caches no facts.

Prepare and Execute have a reading of their own, since minutes may lie between them. An operation that changed something
says which parts of the reading that spoils; the next one that looks at such a part reads the host again.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field, fields, replace
from functools import partial

from pyinfra.context import host, state

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live, Query
from blackstart.live.query import query_for
from blackstart.live.script import PARTS
from blackstart.reading import Unknown
from facts.node import NodeReading
from operations.together import begun


@dataclass
class _Kept:
    live: Live
    spoiled: set[str] = field(default_factory=set)
    at: float = field(default_factory=time.monotonic)


EVERYTHING = "everything"
_ALL = frozenset(part.field for part in PARTS.values())
# They look at every disk: read anew only for who asks for them, or for everything.
_OF_DISKS = frozenset(("disks", "importable"))
# What changes when ZFS is loaded, or a pool made or imported.
STORAGE = ("zfs", "pools", "importable", "datasets", "snapshots", "delegations", "disks")
_kept: dict[tuple[str, bool], _Kept] = {}
_ahead: dict[tuple[str, bool], tuple[Query, float, Future[Live]]] = {}  # what is asked, since when
YOUNG = 30.0  # seconds


def live(wanted: Wanted, *parts: str) -> Live:
    """The current host's reading. Where one of `parts` (fields of Live) was spoiled since the last one, all that was
    spoiled is read anew, in one exec; the rest of a reading costs seconds on a slow host and is still true.

    Without `parts`, any spoiled part counts.
    """
    key = (host.name, state.is_executing)
    kept, asked = _kept.get(key), frozenset(parts) or _ALL
    if kept is not None and not kept.spoiled & asked:
        return kept.live
    query = query_for(wanted)
    if kept is None:
        kept = _kept[key] = _begun_before(query) or _Kept(_read(query))
        return kept.live
    again = kept.spoiled - (_OF_DISKS - asked)
    stale = {name: part.field for name, part in PARTS.items() if part.field in again}
    fresh = _read(query, tuple(stale))
    kept.live = replace(kept.live, **{part: getattr(fresh, part) for part in stale.values()})
    kept.spoiled -= again
    return kept.live


def ahead(wanted: Wanted) -> None:
    """Begin to read the current host, while others are asked what is wanted of it: should that be `wanted`, the first
    `live` of this phase takes what was read.
    """
    query = query_for(wanted)
    _ahead[host.name, state.is_executing] = query, time.monotonic(), begun(partial(_read, query))


def _begun_before(query: Query) -> _Kept | None:
    asked = _ahead.pop((host.name, state.is_executing), None)
    return _Kept(asked[2].result(), at=asked[1]) if asked and asked[0] == query else None


def _read(query: Query, only: tuple[str, ...] = tuple(PARTS)) -> Live:
    return host.get_fact(NodeReading, query=query, only=only, _ignore_errors=True)


def is_read() -> bool:
    """Whether the current host was read in this phase, or what was read before counts in it."""
    return (host.name, state.is_executing) in _kept


def carry_over() -> None:
    """Let a reading that Prepare has just made count in Execute as well: where nobody was asked in between, they follow
    each other at once. For an operation that reads before it locks, and reads again what it is about to change.

    What was unknown is asked for again.
    """
    kept = _kept.get((host.name, False))
    if kept is None or not state.is_executing or time.monotonic() - kept.at > YOUNG:
        return
    if not any(isinstance(getattr(kept.live, each.name), Unknown) for each in fields(Live)):
        _kept.setdefault((host.name, True), replace(kept, spoiled=set(kept.spoiled)))


def only_young(*parts: str) -> None:
    """Whoever looks at these parts of the current host next gets nothing that is older than half a minute."""
    kept = _kept.get((host.name, state.is_executing))
    if kept and time.monotonic() - kept.at > YOUNG:
        spoil(*parts)


def spoil(*parts: str) -> None:
    """The commands just run changed these parts of the current host (EVERYTHING: all of them)."""
    kept = _kept.get((host.name, state.is_executing))
    if kept:
        kept.spoiled.update(_ALL if EVERYTHING in parts else parts)
