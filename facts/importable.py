"""Pools on the disks that are not imported. See blackstart/live/importable.py."""

from __future__ import annotations

from facts.base import ResourceFact


class ImportablePools(ResourceFact):
    """Pools on the disks that are not imported."""

    abstract = False
    resource = "importable"
