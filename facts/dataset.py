"""File systems and volumes, with the properties that the query asks for. See blackstart/live/dataset.py."""

from __future__ import annotations

from facts.base import ResourceFact


class Datasets(ResourceFact):
    """File systems and volumes, with the properties that the query asks for."""

    abstract = False
    resource = "dataset"
