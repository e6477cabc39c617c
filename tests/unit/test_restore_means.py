"""What is planned where something could not be read, or not be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rebuild_world import NOW, live, node_spec, record
from test_restore_outline import replicas

from blackstart.converge.wanted import Wanted
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.restore.job import Asks, Job
from blackstart.restore.means import planned
from blackstart.restore.outline import Outline
from blackstart.restore.show import as_text
from blackstart.vault.record import DatasetRecord
from blackstart.vault.records import VaultReading, unknown
from blackstart.verdict import judge

CRM = "tank/data/crm"
WHOLE = replace(unknown("not asked"), replicas=Present({"node1": replicas()}))


def made(now: Any, readings: dict[str, VaultReading]) -> Outline:
    spec = node_spec()
    known = record()
    known = replace(known, datasets=known.datasets | {CRM: DatasetRecord()})
    verdict = judge(spec, Present(known), live())
    job = Job(spec, spec, Wanted(), verdict, Asks(), "vault1", "bank", Path(), "ops", "abc", Path(), ())
    return planned(job, known, readings, now, clock=NOW, keys={}, epoch=2)


def test_a_pool_is_not_made_where_what_is_on_the_pools_could_not_be_read() -> None:
    """It would be refused right after: nobody could say that the new pool is empty."""
    found = made(live(datasets=Unknown("a timeout")), {"vault1": WHOLE})
    assert "datasets that are there could not be read: a timeout" in found.refusals[0] and found.next_command
    no_tools = Unknown("no ZFS tools on this host")
    assert not made(live(zfs=ABSENT, pools=no_tools, datasets=no_tools), {"vault1": WHOLE}).refusals


def test_a_vault_that_could_not_be_asked_is_named_where_a_dataset_will_be_empty() -> None:
    held = {name: each for name, each in replicas().items() if name != CRM}
    without = replace(WHOLE, replicas=Present({"node1": held}))
    never = "nothing of it ever arrived on the vault: it will be empty"
    assert made(live(), {"vault1": without}).left[CRM] == never
    silent = made(live(), {"vault1": without, "vault2": unknown("no route to host")})
    assert silent.left[CRM] == f"{never}; vault2 could not be asked, and may have it"
    assert "  next: blackstart why vault2" in as_text(silent).splitlines()
    assert "next: " not in as_text(made(live(), {"vault1": without}))
