"""The node's own last heartbeat. See blackstart/live/heartbeat.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Heartbeat(ResourceFact):
    """The node's own last heartbeat."""

    abstract = False
    resource = "heartbeat"
