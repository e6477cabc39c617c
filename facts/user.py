"""Users that the query asks for. See blackstart/live/user.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Users(ResourceFact):
    """Users that the query asks for."""

    abstract = False
    resource = "user"
