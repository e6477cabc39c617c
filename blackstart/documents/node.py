"""Files on a node."""

from __future__ import annotations

from typing import Any, Literal

from blackstart.spec.types import Model, Name


class BeatMemory(Model):
    """Of the host."""

    total: int | None
    """bytes"""
    available: int | None
    """bytes"""


class BeatContainer(Model):
    """A container with processes in it."""

    services: tuple[str, ...]
    """systemd units with processes"""


class HeartbeatFile(Model):
    """That the node lives: written by cron, replaced whole. null: could not be read."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    status: Literal["ok", "degraded", "unknown"] = "unknown"
    """by its own word: `degraded` when a pool is not ONLINE, `unknown` when the pools could not be read"""
    missed: int = 0
    """heartbeats in a row before this one that no vault took"""
    epoch: int | None
    """of its pool"""
    sequence: int
    """one more with each heartbeat"""
    boot_id: str | None
    """another one after each boot"""
    timestamp: int | None
    """seconds since 1970, by the node's clock"""
    uptime: float | None
    """seconds"""
    load: tuple[float | None, float | None, float | None]
    """over 1, 5 and 15 minutes"""
    memory: BeatMemory
    """of the host"""
    pools: dict[str, str | None] | None
    """name -> health, in the words of `zpool list`"""
    containers: dict[str, BeatContainer] | None
    """those that run, by name; null: one of them, or of their units, could not be read"""
    applied: str | None
    """digest of the spec as last applied; null also where there is none"""


class AppliedFile(Model):
    """What was applied to the node last."""

    format: Literal[1]
    """of this document"""
    digest: str
    """of the spec"""
    commit: str
    """of the fleet's repository, `-dirty` behind it where files differed from it; empty: it is none"""
    by: str
    """who did it"""
    at: int
    """seconds since 1970"""
    spec: dict[str, Any]
    """the node's part of the fleet, as in the record"""
    wishes: dict[str, Any] = {}
    """what the spec came to, with digests instead of files; changes without notice"""
    unfinished: tuple[dict[str, Any], ...] = ()
    """the same of runs since then that were cut off or failed"""
