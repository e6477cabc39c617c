"""Files that no package brought, and changed configuration of packages. See blackstart/live/handmade.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Handmade(ResourceFact):
    """Files that no package brought, and changed configuration of packages; only where the query asks for it."""

    abstract = False
    resource = "handmade"
