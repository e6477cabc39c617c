"""`zfs allow` of the datasets that the query asks for. See blackstart/live/delegation.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Delegations(ResourceFact):
    """`zfs allow` of the datasets that the query asks for."""

    abstract = False
    resource = "delegation"
