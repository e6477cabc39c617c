"""What the service knows of every node: its last heartbeat, and how it stands by this vault's clock.

Ages go by the clock that nothing sets (CLOCK_BOOTTIME); the wall clock is for what people and files read.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic_core import to_json

from blackstart.serve.changes import changes, known_after
from blackstart.serve.config import Beat
from blackstart.serve.heartbeat import Heartbeat, ServiceBeat, parse
from blackstart.serve.replay import Last, follow
from blackstart.status.heard import AHEAD, Heard, heard

Key = tuple[str, ...]  # a node; a node and a service


class Known(NamedTuple):
    """`beat`: the document as it is on the disk. `at`: when it was received, by CLOCK_BOOTTIME; None: in the future.

    `said`: the same, and what those before it said of what it could not read.
    """

    beat: dict[str, Any]
    at: float | None
    last: Last
    said: dict[str, Any]


def ticks() -> float:
    """Seconds; goes on while the machine sleeps, and nobody sets it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Fleet:
    """`nodes`: those of the configuration. Not safe for threads: it belongs to the event loop."""

    def __init__(self, nodes: Mapping[str, Beat]) -> None:
        self.nodes = dict(nodes)
        self.known: dict[Key, Known] = {}

    def load(self, documents: Iterable[bytes], wall: float, now: float) -> dict[Key, bytes]:
        """What the log held: the newest of each. Of nodes that left the fleet, too: a log forgets nobody by itself."""
        newest: dict[Key, bytes] = {}
        for document in documents:
            beat = kept(document)
            if beat is None:
                continue
            key = key_of(beat)
            age = wall - beat["received"]
            newest[key] = document
            at = now - age if age > -AHEAD else None
            self.known[key] = Known(beat, at, _last(beat), known_after(self._said(key), beat))
        return newest

    def next(
        self,
        beat: Heartbeat | ServiceBeat,
        wall: float,
        now: float,
        recorded: Callable[[str], int | None] = lambda _: None,
    ) -> tuple[bytes, Known]:
        """The document to keep of a heartbeat, and the state with it. Raises ValueError where it was sent before.

        `recorded`: the epoch that the vault's own record has of a node; None where it has none.
        """
        old = self.known.get(key_of_beat(beat))
        last = follow(_recorded(old.last, beat, recorded) if old else None, _new(beat))
        made = {"received": round(wall, 3), "boots": list(last.boots), **beat.plain}
        return to_json(made), Known(made, now, last, known_after(old.said if old else None, made))

    def _said(self, key: Key) -> dict[str, Any] | None:
        return self.known[key].said if key in self.known else None

    def heard(self, node: str, now: float) -> Heard:
        """How a node of the configuration stands. KeyError for another one."""
        beat, known = self.nodes[node], self.known.get((node,))
        return heard(known.at if known else None, now, beat.period, beat.grace)


def kept(document: bytes) -> dict[str, Any] | None:
    """A document as the log holds it, with what an older version did not write; None: it is none."""
    try:
        beat: dict[str, Any] = json.loads(document)
        parse(ServiceBeat if "service" in beat else Heartbeat, document)
        _last(beat)
        if not math.isfinite(beat["received"]):
            return None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return beat if "service" in beat else {"status": "unknown", "missed": 0} | beat


def missed(
    documents: Iterable[bytes], told: Callable[[str, int], bool], since: float
) -> Iterator[tuple[str, int, str]]:
    """(node, sequence, sentence) of changes in the newest heartbeats that nobody was told of: a kill came between.

    `told`: whether there is an event of that node's heartbeat. Of what was received before `since` nothing is missed.
    """
    last: dict[str, tuple[dict[str, Any] | None, dict[str, Any]]] = {}
    said: dict[str, dict[str, Any]] = {}
    for document in documents:
        beat = kept(document)
        if beat is not None and "service" not in beat:
            before = said.get(beat["node"])
            last[beat["node"]] = (before, beat)
            said[beat["node"]] = known_after(before, beat)
    for node, (before, after) in last.items():
        if before is not None and after["received"] >= since and not told(node, after["sequence"]):
            yield from ((node, after["sequence"], text) for text in changes(before, after))


def _recorded(last: Last, beat: Heartbeat | ServiceBeat, recorded: Callable[[str], int | None]) -> Last:
    """An epoch above the record's was never given: whoever said it does not lock the node itself out."""
    epoch = beat.epoch if isinstance(beat, Heartbeat) else None
    if epoch is None or last.epoch is None or epoch >= last.epoch:
        return last
    truth = recorded(beat.node)
    return last._replace(epoch=truth) if truth is not None and truth <= epoch else last


def key_of(document: Mapping[str, Any]) -> Key:
    """Whose heartbeat a kept document is."""
    return (document["node"], document["service"]) if "service" in document else (document["node"],)


def key_of_beat(beat: Heartbeat | ServiceBeat) -> Key:
    return (beat.node, beat.service) if isinstance(beat, ServiceBeat) else (beat.node,)


def _new(beat: Heartbeat | ServiceBeat) -> Last:
    if isinstance(beat, ServiceBeat):
        return Last(beat.sequence, None, None, None)
    return Last(beat.sequence, beat.boot_id, beat.uptime, beat.epoch)


def _last(beat: Mapping[str, Any]) -> Last:
    return Last(beat["sequence"], beat.get("boot_id"), beat.get("uptime"), beat.get("epoch"), tuple(beat["boots"]))
