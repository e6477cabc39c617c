"""What the service on a vault serves, and for whom: written by the deploy, read once at its start.

Plain dataclasses and JSON: it is read with nothing but Python's standard library.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from blackstart import strict
from blackstart.blackbox.folders import NODE

FORMAT = 1
DEPLOY = "next: pyinfra inventory deploys/vault.py"
_POOL = re.compile(r"[a-zA-Z][a-zA-Z0-9_.:-]{0,62}")


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


class _Kind(NamedTuple):
    """Of a value: what it is to be, and whether it is that."""

    what: str
    fits: Callable[[object], bool]


def dump(config: Config) -> str:
    return json.dumps(asdict(config), indent=1, sort_keys=True) + "\n"


def read(path: Path) -> Config:
    """What lies at `path`. Raises ValueError with one sentence, FileNotFoundError where there is nothing."""
    try:
        return load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}; {DEPLOY}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {DEPLOY}") from None


def load(text: str) -> Config:
    """Read `dump`'s JSON. Raises ValueError with one clause, whatever it is that was given."""
    data = strict.loads(text)
    if isinstance(data, dict) and data.get("format", FORMAT) != FORMAT:
        raise ValueError(f"format {_shown(data['format'])}, this version reads {FORMAT}")
    config = _checked(data, _CONFIG, "")
    if odd := next((name for name in config["nodes"] if not _is_name(name)), None):
        raise ValueError(f"nodes: {_shown(odd)} is no node's name")
    beats = {name: Beat(**_checked(each, _BEAT, f"nodes.{name}.")) for name, each in config["nodes"].items()}
    return Config(**config | {"nodes": beats})


def _checked(data: object, kinds: Mapping[str, _Kind], where: str) -> dict[str, Any]:
    """`data` with exactly those keys, each of its kind."""
    if not isinstance(data, dict):
        raise ValueError(f"{where.rstrip('.') or 'it'} is {_shown(data)}, expected a table with {', '.join(kinds)}")
    for key in data:
        if key not in kinds:
            raise ValueError(f"{where}{_shown(key)}: unknown key, there are {', '.join(kinds)}")
    for key, kind in kinds.items():
        if key not in data:
            raise ValueError(f"{where}{key} is missing")
        if not kind.fits(data[key]):
            raise ValueError(f"{where}{key}: found {_shown(data[key])}, expected {kind.what}")
    return data


def _shown(value: object) -> str:
    """On one line, and short."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NODE.fullmatch(value) is not None


def _is_pool(value: object) -> bool:
    return isinstance(value, str) and _POOL.fullmatch(value) is not None


def _is_address(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


_SECONDS = 2**53  # what every reader of JSON takes as the same number
_CONFIG = {
    "format": _Kind(f"{FORMAT}", _whole(FORMAT, FORMAT)),
    "vault": _Kind("a node's name", _is_name),
    "pool": _Kind("a pool's name", _is_pool),
    "address": _Kind("an IP address", _is_address),
    "port": _Kind("a port", _whole(0, 65535)),
    "nodes": _Kind("a table of nodes by name", lambda value: isinstance(value, dict)),
}
_BEAT = {
    "period": _Kind("seconds, 1 or more", _whole(1, _SECONDS)),
    "grace": _Kind("seconds, 0 or more", _whole(0, _SECONDS)),
    "reading_every": _Kind("a whole number, 0 or more", _whole(0, _SECONDS)),
}
