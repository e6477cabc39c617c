"""Everything of a host in one exec: `host.get_fact(NodeReading, query=query)` -> Live. Run it as root (`_sudo`)."""

from __future__ import annotations

from pyinfra.api.facts import FactBase

from blackstart.live.model import Live, Query
from blackstart.live.script import PARTS, parse, script, unknown


class NodeReading(FactBase[Live]):
    """One reading of one host.

    Whatever goes wrong on the way (no output, a failed sudo, a timeout) leaves everything unknown: pyinfra gives the
    default when a command fails or prints nothing.
    """

    def command(self, query: Query | None = None, only: tuple[str, ...] = tuple(PARTS)) -> str:
        return script(query or Query(), only)

    @staticmethod
    def default() -> Live:
        return unknown("the host gave no answer")

    def process(self, output: list[str]) -> Live:
        return parse("\n".join(output))
