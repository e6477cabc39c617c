"""Of several vaults: the one that has begun something counts, and what could not be read is not absent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rebuild_world import NOW, OTHER, rebuild, record
from test_restore_outline import replicas

from blackstart.reading import Present, Unknown
from blackstart.restore.keeper import choose
from blackstart.vault.record import DatasetRecord, Record, Unfinished
from blackstart.vault.records import VaultReading, unknown

CRM = "tank/data/crm"
LEFT = replace(record(), unfinished=Unfinished(NOW, "ops", True))
OPENED = record(rebuild=rebuild())
MADE = record(rebuild=rebuild(2, {"tank": OTHER}))


def vault(known: Record, **more: Any) -> VaultReading:
    held = {"records": Present({"node1": Present(known)}), "replicas": Present({"node1": replicas()}), **more}
    return replace(unknown("not asked"), **held)


@pytest.mark.parametrize(("counts", "other"), [(OPENED, LEFT), (MADE, OPENED), (MADE, LEFT), (LEFT, record())])
def test_where_two_vaults_have_begun_something_the_one_that_came_further_counts(counts: Record, other: Record) -> None:
    """Each of them was silent when the other was asked to."""
    for first, second in (("vault1", "vault2"), ("vault2", "vault1")):
        assert choose({first: vault(counts), second: vault(other)}, "node1")[0] == first


def test_what_a_vault_has_written_down_counts_where_its_replicas_could_not_be_read() -> None:
    never = record()
    never = replace(never, datasets=never.datasets | {CRM: DatasetRecord()})
    blind = vault(record(), replicas=Unknown("pool SUSPENDED"))
    held = {name: each for name, each in replicas().items() if name != CRM}
    chosen, known = choose({"vault1": vault(never, replicas=Present({"node1": held})), "vault2": blind}, "node1")
    assert chosen == "vault1" and isinstance(known, Present)
    assert known.value.datasets[CRM] == record().datasets[CRM]
