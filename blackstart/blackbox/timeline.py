"""The merged history that one vault kept: events, journals, what its checks announced. Reads only.

Each log stays with whoever writes it; they are merged when somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from blackstart.blackbox.entry import Entry, drifted, drilled, happened, journalled
from blackstart.blackbox.folders import nodes
from blackstart.blackbox.lines import newest_first_or_none

# A log is read from its end until it is this much older than asked for, in seconds: a clock may have been set back.
SLACK = 86400

Read = Callable[[Mapping[str, Any]], Entry | None]


@dataclass(frozen=True, slots=True)
class History:
    """`entries`: oldest first. `more`: there are older ones that were asked for. `unread`: logs, one sentence each."""

    entries: tuple[Entry, ...]
    more: bool = False
    unread: tuple[str, ...] = ()


def timeline(live: Path, node: str, since: int, most: int) -> History:
    """What happened at or after `since` (seconds since 1970), the newest `most` of it. `node` "": to all of them.

    Of a node also what happened to the whole fleet. Raises OSError where `live` is no vault's folder of live state,
    ValueError for a node that this vault never knew.
    """
    every = nodes(live)
    found: list[Entry] = []
    unread: list[str] = []
    strange: Counter[Path] = Counter()
    for path, read in _logs(live, [node] if node else every, every):
        try:
            fitting = (each for each in _entries(path, read, strange) if not node or each.node in (node, ""))
            recent = takewhile(lambda each: each.at >= since - SLACK, fitting)
            found += reversed(list(islice((each for each in recent if each.at >= since), most + 1)))
        except OSError as error:
            unread.append(f"{path.relative_to(live)} could not be read: {error.strerror}")
    unread += [
        f"{path.relative_to(live)}: {count} line{'s' * (count != 1)} of it could not be read"
        for path, count in strange.items()
    ]
    if node and node not in every and not any(each.node == node for each in found) and not unread:
        raise ValueError(f"no node {node} was ever known here; there is {', '.join(every)}")
    found.sort(key=lambda each: each.at)
    return History(tuple(found[-most:]), len(found) > most, tuple(unread))


def _logs(live: Path, asked: Iterable[str], every: Iterable[str]) -> Iterator[tuple[Path, Read]]:
    yield live / "now" / "events.jsonl", happened
    for name in asked:
        yield live / name / "journal.jsonl", partial(journalled, name)
        yield live / name / "drill" / "events.jsonl", partial(drilled, name)
    for name in every:
        yield live / name / "drift" / "events.jsonl", drifted


def _entries(path: Path, read: Read, strange: Counter[Path]) -> Iterator[Entry]:
    """`strange` counts the lines, of those that were looked at, that say nothing that happened."""
    for data in newest_first_or_none(path):
        entry = read(data) if data is not None else None
        if entry:
            yield entry
        else:
            strange[path] += 1
