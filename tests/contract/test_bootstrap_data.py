"""Which datasets a bootstrap brings back, and which pools it leaves as they are."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyinfra.context import host as current

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import THERE, WAYS, Go, job
from rebuild_world import (
    OTHER,
    live,
    node_spec,
    on_disks,
    pool,
    record,
)

from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.restore.job import Asks
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.record import Record
from operations import bootstrap
from operations import rebuild as rebuild_operations
from operations import restore as restore_operations
from operations.host_shell import ShellError


def two_pools() -> tuple[Any, Record]:
    """tank, and fast with a replicated dataset of its own; the record knows each by its guid."""
    one = {"vdevs": [{"members": [{"id": "ata-A", "size": "4GB"}]}]}
    two = {"vdevs": [{"members": [{"id": "ata-B", "size": "4GB"}]}]}
    spec = node_spec(pools={"tank": one, "fast": two})
    known = record(spec)
    return spec, replace(known, pools=known.pools | {"fast": replace(known.pools["fast"], guid=OTHER)})


def planned(go: Go, spec: Any, reading: Live, known: Record) -> Any:
    found: list[Any] = []

    class Ask:
        @staticmethod
        def _inner() -> list[Any]:
            made = bootstrap.job_of(spec, Asks(), WAYS)[0]
            found.append(restore_operations.outline_of(made, made.verdict.epoch, with_keys=False))
            return []

    go(Ask, reading, Present(known))
    return found[0]


def test_one_lost_pool_never_takes_the_living_data_of_another_back_to_a_snapshot(go: Go) -> None:
    spec, known = two_pools()
    alive = planned(go, spec, live(pools=(pool(),), datasets=THERE[1:]), known)
    assert [each.dataset for each in alive.chosen] == ["tank/data/crm"] and not alive.refusals
    assert "stays as it is" in alive.left["tank/data/db"]
    # Not imported yet: what it holds is known only afterwards, and it is not exchanged either.
    assert planned(go, spec, live(importable=(on_disks(),)), known).chosen == []
    unread = planned(go, spec, live(pools=(pool(),), datasets=Unknown("a timeout")), known)
    assert "could not be read: a timeout" in unread.refusals[0]


def test_a_pool_that_was_imported_without_a_dataset_does_not_get_it_empty(go: Go) -> None:
    known = record()
    before = job(live(importable=(on_disks(),)), known, go)
    before = replace(before, wanted=replace(before.wanted, datasets={d.name: d for d in wanted_datasets(before.spec)}))
    after = live(pools=(pool(),), datasets=THERE[1:])
    commands, _ = go(rebuild_operations.nothing_lost, after, Present(known), before, ())
    (command,) = commands
    assert "the vault has it" in command and "blackstart restore node1/tank/data/crm" in command
    assert go(rebuild_operations.nothing_lost, after, Present(known), before, ["tank/data/crm"])[0] == []
    whole = live(pools=(pool(),), datasets=THERE)
    assert go(rebuild_operations.nothing_lost, whole, Present(known), before, ())[0] == []
    (command,) = go(rebuild_operations.nothing_lost, live(datasets=Unknown("why")), Present(known), before, ())[0]
    assert "could not be read: why" in command


def test_a_pool_that_was_importable_and_is_gone_is_not_made_empty(go: Go) -> None:
    known = record()
    before = job(live(importable=(on_disks(),)), known, go)
    (command,) = go(rebuild_operations.pools, live(), Present(known), before)[0]
    assert "is gone; run it again" in command and command.endswith("exit 1")


def test_the_disks_are_looked_at_again_after_deploys_of_the_operators_own(go: Go) -> None:
    spoilt: list[Any] = []
    before = job(live(), record(), go)
    host = before.spec.node.host.model_copy(update={"deploys": ("deploys/own.py",)})
    node = before.spec.node.model_copy(update={"host": host})

    class Run:
        @staticmethod
        def _inner(spec: Any) -> list[Any]:
            made = bootstrap.job_of(node_spec(), Asks(), WAYS)[0]
            this: Any = current
            this.reading = live(disks=())  # what the operator's own did to them
            found = list(rebuild_operations.pools._inner(job=replace(made, spec=spec)))
            spoilt.extend(found)
            return []

    go(Run, live(), Present(record()), before.spec)
    assert "zpool create" in str(spoilt)
    spoilt.clear()
    go(Run, live(), Present(record()), before.spec.model_copy(update={"node": node}))
    assert "zpool create" not in str(spoilt) and "exit 1" in str(spoilt)


def test_no_pool_is_made_before_the_vault_has_opened_the_rebuild(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    def settled(node: str) -> None:
        raise ShellError("the rebuild was not begun: vault1: no space left on device")

    blank, known = live(), Present(record())
    before = job(blank, record(), go)
    assert any("zpool create" in command for command in go(rebuild_operations.pools, blank, known, before)[0])
    monkeypatch.setattr(rebuild_operations, "settled", settled)
    (command,) = go(rebuild_operations.pools, blank, known, before)[0]
    assert "node1: the rebuild was not begun: vault1: no space left" in command and "zpool" not in command


def test_a_rebuild_ends_well_where_what_differs_is_a_persons_to_change(go: Go) -> None:
    known = record()
    whole = live(pools=(pool(),), datasets=THERE)
    wanted = job(whole, known, go).wanted
    assert go(rebuild_operations.clean, whole, Present(known), wanted) == ([], [])
    degraded = live(pools=(pool(state="DEGRADED"),), datasets=THERE)
    commands, said = go(rebuild_operations.clean, degraded, Present(known), wanted)
    assert commands == [] and "is DEGRADED" in said[0] and "for a person to change" in said[1]
    emptied = live(pools=(pool(epoch=None),), datasets=THERE)
    (command,) = go(rebuild_operations.clean, emptied, Present(known), wanted)[0]
    assert "1 things still differ" in command and command.endswith("exit 1")
    (command,) = go(rebuild_operations.clean, live(pools=Unknown("a timeout")), Present(known), wanted)[0]
    assert "could not be read" in command and command.endswith("exit 1")
