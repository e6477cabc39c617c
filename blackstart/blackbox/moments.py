"""The moments that a vault's live state was kept at: snapshots of its dataset, by name and time.

Nothing but the names is read, so it is the same on a pool that was imported read-only. A snapshot is mounted by the
kernel when somebody looks into it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blackstart.restore.at import parse_time
from blackstart.vault import layout

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*")


@dataclass(frozen=True, slots=True)
class Moment:
    """`name` "": now. `at`: seconds since 1970, from the name; None: it is not said there."""

    name: str
    at: int | None

    def folder(self, live: Path) -> Path:
        """What `live` was at this moment."""
        return live / ".zfs" / "snapshot" / self.name if self.name else live

    def __str__(self) -> str:
        when = (
            time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.at)) if self.at is not None else "at no known time"
        )
        return f"{when} (snapshot {self.name})" if self.name else f"{when} (now)"


def moments(live: Path) -> list[Moment]:
    """Oldest first, those of no known time before them. Raises OSError where there are no snapshots to be seen."""
    names = [each.name for each in (live / ".zfs" / "snapshot").iterdir() if _NAME.fullmatch(each.name)]
    return sorted((Moment(name, layout.moment_of(name)) for name in names), key=lambda each: (each.at or 0, each.name))


def choose(have: Sequence[Moment], at: str, now: int) -> Moment:
    """The moment that is meant by a snapshot's name, or by a time: the newest one at or before it; "": now.

    Raises ValueError with one sentence.
    """
    if not at:
        return Moment("", now)
    name = at.rpartition("@")[2]
    named = next((each for each in have if each.name == name), None)
    if named:
        return named
    wanted = parse_time(at)
    if wanted is None:
        raise ValueError(
            f"{at!r} is neither a snapshot that is there nor a time like 2026-11-22T01:43Z; {_range(have)}"
        )
    if wanted >= now:
        raise ValueError(f"{at} is not over yet; leave --at out for what is now")
    before = [each for each in have if each.at is not None and each.at <= wanted]
    if not before:
        raise ValueError(f"nothing is kept of {at} or before; {_range(have)}")
    return before[-1]


def _range(have: Sequence[Moment]) -> str:
    known = [each for each in have if each.at is not None]
    return f"there is something from {known[0]} to {known[-1]}" if known else "no moment is kept at all"
