"""What a vault checks by itself, how often, and who watches over that: written by the deploy, read by the checker.

Plain dataclass and JSON: it is read with nothing but Python's standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

FORMAT = 1
TICK = 300  # seconds between two looks of the watcher


@dataclass(frozen=True, slots=True)
class Schedule:
    """`nodes`: those that this vault checks. `interval`: seconds. `watcher`: the host that it tells, "" for none."""

    vault: str
    nodes: tuple[str, ...]
    interval: int
    sightings: int
    watcher: str
    format: int = FORMAT


def dump(schedule: Schedule) -> str:
    return json.dumps(asdict(schedule), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Schedule:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        return Schedule(**data | {"nodes": tuple(data["nodes"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a schedule: {error!r}") from error


def spread(interval: int) -> int:
    """Seconds within which a check begins at random: all vaults of a fleet at once would be a burst on every node."""
    return max(1, interval // 10)


def patience(interval: int) -> int:
    """How many ticks the watcher waits for the next completed check: two periods, each with its spread."""
    return -(-2 * (interval + spread(interval)) // TICK)
