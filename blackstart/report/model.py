"""What a page shows, as data, whatever it was that was played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["good", "bad", "unknown", ""]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time: seconds since the beginning, and how long. `part`: what colour it has."""

    part: str
    what: str
    began: float
    seconds: float
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: each its mark, then as many texts as `head` has."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Mark, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """`verdict` is said in large letters, marked by `mark`; `why`: what it rests on, one sentence each."""

    title: str
    verdict: str
    mark: Mark
    why: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    spans: tuple[Span, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    foot: str = ""
