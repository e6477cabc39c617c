"""What the facts of single resources share: the section and the parser of the whole reading, alone in a script."""

from __future__ import annotations

from typing import Any, ClassVar

from pyinfra.api.facts import FactBase

from blackstart.live.model import Query
from blackstart.live.one import parse_of, script_of
from blackstart.reading import Reading, Unknown


class ResourceFact(FactBase[Reading[Any]]):
    """`resource`: its name in `blackstart.live.script.PARTS`. The value is a reading; no answer is unknown."""

    abstract = True
    resource: ClassVar[str]

    def command(self, query: Query | None = None) -> str:
        return script_of(self.resource, query or Query())

    @staticmethod
    def default() -> Reading[Any]:
        return Unknown("the host gave no answer")

    def process(self, output: list[str]) -> Reading[Any]:
        return parse_of(self.resource, "\n".join(output))
