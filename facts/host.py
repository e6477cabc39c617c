"""The host itself: boot id, hostid, clock, memory, load. See blackstart/live/host.py."""

from __future__ import annotations

from facts.base import ResourceFact


class HostReading(ResourceFact):
    """The host itself: boot id, hostid, clock, memory, load."""

    abstract = False
    resource = "host"
