"""LXC containers: state, init, addresses, services. See blackstart/live/container.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Containers(ResourceFact):
    """LXC containers: state, init, addresses, services."""

    abstract = False
    resource = "container"
