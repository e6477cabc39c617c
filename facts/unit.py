"""systemd units that the query asks for. See blackstart/live/unit.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Units(ResourceFact):
    """systemd units that the query asks for."""

    abstract = False
    resource = "unit"
