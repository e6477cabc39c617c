"""What the checks of a vault remember, as JSON: findings from look to look, and messages that nobody took yet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from blackstart.drift.damping import Event, Sighting
from blackstart.drift.finding import Finding

FORMAT = 1


@dataclass
class Memory:
    """`untold`: a place's name (announce.send.name) -> events that it has not taken yet."""

    sightings: list[Sighting] = field(default_factory=list)
    untold: dict[str, list[Event]] = field(default_factory=dict)


def dump(memory: Memory) -> str:
    """One document, newline at the end."""
    data = {
        "format": FORMAT,
        "sightings": [asdict(each) for each in memory.sightings],
        "untold": {place: [asdict(each) for each in events] for place, events in memory.untold.items()},
    }
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def load(text: str) -> Memory:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        sightings = [
            Sighting(**each | {"finding": Finding(**each["finding"]), "unknown": tuple(each["unknown"])})
            for each in data["sightings"]
        ]
        return Memory(sightings, {place: _events(events) for place, events in data["untold"].items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not what a check remembers: {error!r}") from error


def _events(events: Iterable[dict[str, Any]]) -> list[Event]:
    return [Event(**each | {"finding": Finding(**each["finding"])}) for each in events]
