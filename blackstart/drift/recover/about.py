"""What every question about one node begins with: the spec that a rebuild would use, the record, who answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blackstart.change import shell
from blackstart.drift.case import Case
from blackstart.drift.compare import WHOLE, unread
from blackstart.drift.finding import Finding
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.verdict import as_applied, recorded_spec


@dataclass(frozen=True, slots=True)
class About:
    """`spec`: as last applied, which is what a rebuild uses; the fleet's own where none is known to be.

    `record`: None where there is none, or none could be read. `vaults`: other ones than the node itself that keep it
    and answer. `silent`: the one finding about a node that gave no reading at all.
    """

    case: Case
    spec: NodeSpec
    record: Record | None
    vaults: Mapping[str, VaultReading]
    silent: tuple[Finding, ...]

    @property
    def node(self) -> str:
        return self.case.spec.name

    @property
    def live(self) -> Live:
        return self.case.live

    def lacks(self, resource: str, name: str, field: str, reason: str, remedy: str, live: str = "") -> Finding:
        """A rebuild would fail on it, or lose something."""
        return Finding("recoverability", self.node, resource, name, field, live=live, reason=reason, remedy=remedy)

    def unread(self, resource: str, name: str, field: str, why: str, remedy: str = "") -> Finding:
        """Nobody knows."""
        then = remedy or shell("blackstart", "why", self.node)
        return Finding("unknown", self.node, resource, name, field, live=why, remedy=then)


def about(case: Case) -> About:
    """Everything prepared once."""
    record = case.record.value if isinstance(case.record, Present) else None
    recorded = recorded_spec(record) if record else None
    spec = as_applied(recorded.value, case.spec) if isinstance(recorded, Present) else case.spec
    answering = {
        name: reading
        for name, reading in case.vaults.items()
        if name != case.spec.name and not isinstance(reading.clock, Unknown)
    }
    missing = unread(case.spec.name, case.live)
    mute = tuple(each for each in missing if each.resource == WHOLE and not each.field)
    return About(case, spec, record, answering, mute)
