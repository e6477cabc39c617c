"""What was last applied to the host. See blackstart/live/applied.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Applied(ResourceFact):
    """What was last applied to the host."""

    abstract = False
    resource = "applied"
