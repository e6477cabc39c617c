"""Kernel parameters that the query asks for. See blackstart/live/sysctl.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Sysctl(ResourceFact):
    """Kernel parameters that the query asks for."""

    abstract = False
    resource = "sysctl"
