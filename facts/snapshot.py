"""Snapshots by dataset, oldest first. See blackstart/live/snapshot.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Snapshots(ResourceFact):
    """Snapshots by dataset, oldest first."""

    abstract = False
    resource = "snapshot"
