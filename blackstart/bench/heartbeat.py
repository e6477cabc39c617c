"""A heartbeat as the script on a node writes it."""

from __future__ import annotations

from typing import Any


def heartbeat(node: str, sequence: int, containers: dict[str, list[str]]) -> dict[str, Any]:
    """`containers`: name -> the services that run in it."""
    return {
        "format": 1,
        "node": node,
        "status": "ok",
        "missed": 0,
        "epoch": 1,
        "sequence": sequence,
        "boot_id": "0b6e7a1c-43cf-4f2c-9d2b-3a54d7d3a001",
        "timestamp": 1_790_000_000 + sequence,
        "uptime": 100.0 + sequence,
        "load": [0.5, 0.25, 0.1],
        "memory": {"total": 68719476736, "available": 34359738368},
        "pools": {"tank": "ONLINE"},
        "containers": {name: {"services": services} for name, services in containers.items()},
        "applied": "sha256:" + "a" * 64,
    }
