"""`--at TIME|SNAPSHOT`: which snapshot of a replica is meant. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from blackstart.vault.records import ReplicaSnapshot


def parse_time(text: str) -> int | None:
    """Seconds since 1970 of an ISO time (`2026-11-22T01:43:00Z`, `2026-11-22 01:43`); UTC unless it says otherwise.

    None when it is no time: then it is a snapshot's name.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def choose(snapshots: tuple[ReplicaSnapshot, ...], at: str) -> ReplicaSnapshot | None:
    """The newest snapshot, the newest at or before a time, or the one of that name; None when there is none."""
    if not at:
        return snapshots[-1] if snapshots else None
    moment = parse_time(at)
    if moment is None:
        name = at.rpartition("@")[2]
        return next((snapshot for snapshot in snapshots if snapshot.name == name), None)
    before = [snapshot for snapshot in snapshots if snapshot.taken <= moment]
    return before[-1] if before else None
