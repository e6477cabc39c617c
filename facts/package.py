"""Debian packages that the query asks for. See blackstart/live/package.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Packages(ResourceFact):
    """Debian packages that the query asks for."""

    abstract = False
    resource = "package"
