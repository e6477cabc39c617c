"""Files and folders that the query asks for, by digest. See blackstart/live/file.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Files(ResourceFact):
    """Files and folders that the query asks for, by digest."""

    abstract = False
    resource = "file"
