"""Readings that were kept: what a look saw, as a file, and files back to what was seen. Pure.

Three kinds are read: a look (`blackstart drift --save`), one reading as JSON (docs/reading.md), and the very text that
the script printed on a host.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from blackstart.drift.case import Seen
from blackstart.live.codec import live_from_json, live_to_json
from blackstart.live.frame import BEGIN
from blackstart.live.model import Live
from blackstart.live.script import parse
from blackstart.reading import Present
from blackstart.vault import records
from blackstart.vault.records import VaultReading

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A vault's answer as it came (`failed`: why none did), and the pool that it was asked about."""

    said: str
    failed: str
    pool: str

    def read(self) -> VaultReading:
        """What it says."""
        return records.unknown(self.failed) if self.failed else records.parse(self.said, self.pool)


def dump(live: Mapping[str, Live], vaults: Mapping[str, Text], at: Mapping[str, int | None]) -> str:
    """The look as one JSON document, with a newline at its end."""
    document = {
        "format": FORMAT,
        "nodes": {name: {"at": at[name], "reading": live_to_json(each)} for name, each in live.items()},
        "vaults": {
            name: {"at": at[name], "pool": each.pool, "said": each.said, "failed": each.failed}
            for name, each in vaults.items()
        },
    }
    return json.dumps(document) + "\n"


def load(texts: Mapping[str, str], nodes: Collection[str]) -> Seen:
    """What was seen, from the texts of files by their names. `nodes`: those of the fleet.

    Raises ValueError with one sentence for a text that is none of the three, and for a node that two files tell of.
    """
    found = Seen()
    origin: dict[str, str] = {}
    for name, text in texts.items():
        for node, (live, at) in _nodes(name, text, nodes).items():
            if node not in nodes:
                raise ValueError(f"{name} is of node {node}, which the fleet does not have")
            if origin.setdefault(node, name) != name:
                raise ValueError(f"{name} and {origin[node]} are both of node {node}: give one of them")
            found.live[node], found.at[node] = live, at
        for vault, each in _look(text).get("vaults", {}).items():
            found.vaults[vault] = Text(each["said"], each["failed"], each["pool"]).read()
            found.at.setdefault(vault, each["at"])
    return found


def _nodes(name: str, text: str, nodes: Collection[str]) -> dict[str, tuple[Live, int | None]]:
    try:
        if not text.lstrip().startswith("{"):
            if BEGIN not in text:
                raise ValueError("it has no reading in it")
            live = parse(text)
            return {_of(live, name, nodes): (live, None)}
        look = _look(text)
        if look:
            return {node: (live_from_json(each["reading"]), each["at"]) for node, each in look["nodes"].items()}
        live = live_from_json(json.loads(text))
        return {_of(live, name, nodes): (live, None)}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{name} cannot be used: {error}") from None


def _look(text: str) -> dict[str, Any]:
    """The document when it is a look, else nothing."""
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(data, dict) or "nodes" not in data:
        return {}
    if data.get("format") != FORMAT:
        raise ValueError(f"its format is {data.get('format')!r}, this version reads {FORMAT}")
    return data


def _of(live: Live, name: str, nodes: Collection[str]) -> str:
    """Which node a single reading is of: it says so itself, else the file's name does."""
    if isinstance(live.applied, Present) and isinstance(live.applied.value.get("spec"), dict):
        node = live.applied.value["spec"].get("name")
        if isinstance(node, str):
            return node
    if isinstance(live.heartbeat, Present) and isinstance(live.heartbeat.value.get("node"), str):
        return str(live.heartbeat.value["node"])
    stem = name.rsplit("/", 1)[-1].partition(".")[0]
    if stem in nodes:
        return stem
    raise ValueError("it does not say which node it is of: name the file NODE.reading")
