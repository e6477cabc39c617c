"""What the service on a vault serves, and for whom: written by the deploy, read once at its start.

Plain dataclasses and JSON: it is read with nothing but Python's standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Beat:
    """How often a node says that it lives, in seconds. With each `reading_every`th comes a reading; 0: never."""

    period: int
    grace: int
    reading_every: int


@dataclass(frozen=True, slots=True)
class Config:
    """`pool`: where the vault's own datasets lie. `nodes`: those whose heartbeats are taken here, itself included."""

    vault: str
    pool: str
    address: str
    port: int
    nodes: dict[str, Beat]
    format: int = FORMAT


def dump(config: Config) -> str:
    return json.dumps(asdict(config), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Config:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        return Config(**data | {"nodes": {name: Beat(**each) for name, each in data["nodes"].items()}})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a configuration of the service: {error!r}") from error
