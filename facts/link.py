"""Network interfaces and their addresses. See blackstart/live/link.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Links(ResourceFact):
    """Network interfaces and their addresses."""

    abstract = False
    resource = "link"
