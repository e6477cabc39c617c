"""Disks and partitions, with what lies on them. See blackstart/live/disk.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Disks(ResourceFact):
    """Disks and partitions, with what lies on them."""

    abstract = False
    resource = "disk"
