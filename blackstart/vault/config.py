"""What a vault pulls from one node: written by the deploy, read by the programs that run there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from blackstart.vault import layout

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Keep:
    hourly: int
    daily: int
    monthly: int


@dataclass(frozen=True, slots=True)
class Replication:
    """`datasets`: the node's own names. `rpo`: seconds of loss that are accepted."""

    node: str
    vault: str
    pool: str  # of the vault
    datasets: tuple[str, ...]
    interval: int
    rpo: int
    keep: Keep
    format: int = FORMAT


def path(node: str, root: str = layout.REPLICATION) -> Path:
    return Path(root) / f"{node}.json"


def dump(config: Replication) -> str:
    return json.dumps(asdict(config), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Replication:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        data["datasets"] = tuple(data["datasets"])
        data["keep"] = Keep(**data["keep"])
        return Replication(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a replication: {error!r}") from error
