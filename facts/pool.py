"""Imported pools. See blackstart/live/pool.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Pools(ResourceFact):
    """Imported pools."""

    abstract = False
    resource = "pool"
