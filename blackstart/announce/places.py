"""Who is told of what: Apprise's own text format, a place a line, `severity,severity=URL` where it is not told all.

An untagged line is what Apprise's program notifies, too, where nobody names a tag: the places that are told everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Severity = Literal["may-break", "will-break", "silent"]
SEVERITIES: tuple[str, ...] = get_args(Severity)

_LINE = re.compile(r"(?:(?P<tags>[a-z-]+(?:,[a-z-]+)*)=)?(?P<url>\S.*)")


@dataclass(frozen=True, slots=True)
class Place:
    """`severities`: those that it is told of; none of them: of everything."""

    url: str
    severities: frozenset[str] = frozenset()

    def hears(self, severity: str) -> bool:
        return not self.severities or severity in self.severities


def dump(places: Iterable[Place]) -> str:
    """The file's text; each URL once."""
    merged: dict[str, frozenset[str]] = {}
    for each in places:
        known = merged.get(each.url)
        every = not each.severities or known == frozenset()
        merged[each.url] = frozenset() if every else each.severities | (known or frozenset())
    return "".join(f"{','.join(sorted(tags))}{'=' * bool(tags)}{url}\n" for url, tags in merged.items())


def load(path: Path) -> list[Place]:
    """None of them where there is no file. Raises OSError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    matches = (_LINE.fullmatch(line.strip()) for line in lines if not line.startswith("#"))
    return [Place(m["url"], frozenset((m["tags"] or "").split(",")) - {""}) for m in matches if m]


def urls(path: Path) -> list[str]:
    """The places that are told everything. Raises OSError."""
    return [each.url for each in load(path) if not each.severities]
