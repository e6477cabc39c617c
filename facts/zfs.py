"""ZFS tools and kernel module. See blackstart/live/zfs.py."""

from __future__ import annotations

from facts.base import ResourceFact


class ZfsVersions(ResourceFact):
    """ZFS tools and kernel module."""

    abstract = False
    resource = "zfs"
