"""Whether keys open encrypted datasets. See blackstart/live/key.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Keys(ResourceFact):
    """Whether keys open encrypted datasets; only where the query names some, with the keys on `_stdin`."""

    abstract = False
    resource = "key"
