"""A small fleet as a vault sees it, in parts and as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blackstart.reading import ABSENT, Present, Reading
from blackstart.serve import config as serve
from blackstart.serve.config import Config
from blackstart.status.judge import judge
from blackstart.status.model import Status
from blackstart.status.told import Beat, OpenSignal, Proven, Recorded, Told
from blackstart.vault.freshness import Age
from blackstart.vault.record import Applied, Record, dump_record

NOW = 1_795_000_000
DIGEST = "sha256:" + "a" * 64


def heartbeat(node: str, **other: Any) -> dict[str, Any]:
    """What `live/NODE/heartbeat.json` holds on a vault."""
    return {
        "format": 1,
        "node": node,
        "epoch": 1,
        "sequence": 7,
        "boot_id": "0b5f7a3c-0000-4000-8000-000000000001",
        "timestamp": NOW - 23,
        "uptime": 86400.5,
        "load": [0.25, 0.5, 0.75],
        "memory": {"total": 8 << 30, "available": 6 << 30},
        "pools": {"tank": "ONLINE"},
        "containers": {"notes": {"services": ["notes.service"]}},
        "applied": DIGEST,
        "received": NOW - 23,
    } | other


def beat(seconds: float = 23, **other: Any) -> Present[Beat]:
    """One that came so many seconds ago."""
    values: dict[str, Any] = {
        "received": NOW - seconds,
        "epoch": 1,
        "uptime": 86400.5,
        "load": 0.25,
        "memory_total": 8 << 30,
        "memory_available": 6 << 30,
        "pools": {"tank": "ONLINE"},
        "containers": {"notes": ("notes.service",)},
        "applied": DIGEST,
    }
    return Present(Beat(**values | other))


def recorded(**other: Any) -> Present[Recorded]:
    values: dict[str, Any] = {"epoch": 1, "retired": False, "applied": DIGEST, "containers": {"notes": True}}
    return Present(Recorded(**values | other))


def age(dataset: str = "tank/data/notes", seconds: int | None = 720, state: Any = "fresh") -> Age:
    return Age(dataset, "blackstart_2026-11-22T01:43:00Z" if seconds is not None else "", seconds, state)


def told(node: str = "node1", **other: Any) -> Told:
    """A node that is well, but for what is said otherwise."""
    values: dict[str, Any] = {
        "period": 60,
        "grace": 30,
        "beat": beat(),
        "record": recorded(),
        "replicas": Present((age(),)),
        "rpo": 3600,
        "proven": Present(Proven(NOW - 2 * 86400, 412.5, 900)),
    }
    return Told(node, **values | other)


SIGNAL = OpenSignal("5d41", "may-break", "node node1", "new kernel", "ada@desk", NOW - 60, NOW + 840)


def status(*nodes: Told, signals: Reading[tuple[OpenSignal, ...]] = ABSENT) -> Status:
    return judge("vault1", NOW, nodes or (told(),), signals)


def record(node: str, **other: Any) -> str:
    """record.json of a node whose spec has these containers."""
    spec = {"containers": {"notes": {"autostart": True}}}
    values: dict[str, Any] = {
        "node": node,
        "epoch": 1,
        "host_key": "ssh-ed25519 AAAA",
        "pools": {},
        "datasets": {},
        "applied": Applied(DIGEST, "c0ffee", "ada@desk", NOW, spec),
    }
    return dump_record(Record(**values | other))


def settings(*nodes: str) -> Config:
    """A vault that takes the heartbeats of these nodes."""
    return Config("vault1", "backup", "192.0.2.2", 8440, {name: serve.Beat(60, 30, 60) for name in nodes})


def folder(live: Path, *nodes: str) -> None:
    """The live folder of a vault that knows these nodes."""
    (live / "now" / "signals").mkdir(parents=True)
    for node in nodes:
        (live / node).mkdir()
        (live / node / "heartbeat.json").write_text(json.dumps(heartbeat(node)))
        (live / node / "record.json").write_text(record(node))
        (live / node / "journal.jsonl").write_text(
            json.dumps({"format": 1, "event": "rebuilt", "at": NOW - 86400, "rto": 412.5, "rpo": 900}) + "\n"
        )
