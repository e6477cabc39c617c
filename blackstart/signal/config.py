"""What a vault's service needs to know to give signals: written by the deploy, read by the service."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from blackstart import strict
from blackstart.vault import layout

FORMAT = 1
PATH = f"{layout.CONFIG}/signal.json"
SSH_CONFIG = f"{layout.CONFIG}/signal_ssh_config"
VERBS = "/run/blackstart-verbs.sock"  # what root does for the service


@dataclass(frozen=True, slots=True)
class Grant:
    """One node: its containers by name, which of its datasets this vault pulls, for how many days it keeps things."""

    containers: tuple[str, ...] = ()
    replicated: tuple[str, ...] = ()
    days: int = 14


@dataclass(frozen=True, slots=True)
class Signals:
    """`pool`: this vault's own."""

    vault: str
    pool: str
    nodes: dict[str, Grant]
    format: int = FORMAT


def dump(config: Signals) -> str:
    return json.dumps(asdict(config), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Signals:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = strict.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        data["nodes"] = {
            name: Grant(tuple(each["containers"]), tuple(each["replicated"]), int(each["days"]))
            for name, each in data["nodes"].items()
        }
        return Signals(**data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no configuration of signals: {error!r}") from error
