"""One resource read alone, by the same section and the same parser as in the whole reading."""

from __future__ import annotations

from typing import Any

from blackstart.live.model import Query
from blackstart.live.script import PARTS, parse, script
from blackstart.reading import Reading


def script_of(resource: str, query: Query) -> str:
    """The script that reads one resource. `resource` is a name in `script.PARTS`."""
    return script(query, (resource,))


def parse_of(resource: str, document: str) -> Reading[Any]:
    """What that script printed."""
    reading: Reading[Any] = getattr(parse(document), PARTS[resource].field)
    return reading
