"""A dataset that arrived on one vault only, and not on the one whose word counts: lost, never empty."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import NOW, dataset, live, node_spec, pool, record
from test_restore_outline import MB, replicas

from blackstart.converge.wanted import Wanted, WantedPool
from blackstart.reading import Present, Unknown
from blackstart.restore.job import Asks
from blackstart.restore.keeper import choose, holder
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Applied, DatasetRecord, Record
from blackstart.vault.records import Replica, ReplicaSnapshot, VaultReading, unknown
from blackstart.verdict_datasets import lost
from operations import bootstrap, restore, verdict
from operations import live as live_operations
from operations import record as record_operations

CRM = "tank/data/crm"


def never_arrived(known: Record) -> Record:
    return replace(known, datasets=known.datasets | {CRM: DatasetRecord()})


def vault(known: Record, held: dict[str, Replica]) -> VaultReading:
    return replace(
        unknown("not asked"),
        records=Present({"node1": Present(known)}),
        replicas=Present({"node1": held}),
        clock=Present(NOW),
        keys=Present({}),
    )


def without(*names: str) -> dict[str, Replica]:
    return {name: each for name, each in replicas().items() if name not in names}


def fresher(held: dict[str, Replica]) -> dict[str, Replica]:
    """`held`, and a newer snapshot of the database."""
    newest = ReplicaSnapshot("blackstart_new", "77", NOW - 60, 1, 0, 40 * MB)
    return held | {"tank/data/db": replace(held["tank/data/db"], snapshots=(*held["tank/data/db"].snapshots, newest))}


BOTH = {"vault1": vault(never_arrived(record()), fresher(without(CRM))), "vault2": vault(record(), replicas())}


def test_what_only_another_vault_holds_is_lost_and_not_unsaved() -> None:
    name, known = choose(BOTH, "node1")
    assert name == "vault1" and isinstance(known, Present)
    (gone,) = lost(known.value, live(pools=(pool(),), datasets=(dataset("tank/data/db"), dataset("tank/lxc/db"))))
    assert gone.dataset == CRM and gone.next_command == f"blackstart restore node1/{CRM}"
    assert (holder(BOTH, "node1", CRM, "vault1"), holder(BOTH, "node1", "tank/data/db", "vault1")) == (
        "vault2",
        "vault1",
    )
    assert holder(BOTH, "node1", "tank/other", "vault1") == ""


def test_what_was_retired_does_not_come_back_through_another_vault() -> None:
    put_aside = never_arrived(record())
    put_aside = replace(put_aside, datasets=put_aside.datasets | {CRM: DatasetRecord(retired="-")})
    _, known = choose(BOTH | {"vault1": vault(put_aside, fresher(without(CRM)))}, "node1")
    assert isinstance(known, Present) and known.value.datasets[CRM] == DatasetRecord(retired="-")


def test_the_newest_spec_that_was_applied_counts_wherever_it_is_known() -> None:
    applied = record().applied
    assert applied
    newer = replace(record(), applied=replace(applied, at=applied.at + 5, commit="newer"))
    older = replace(newer, epoch=0, applied=Applied("", "rebuilt since", "", applied.at + 9, {}))
    fresh = vault(record(), fresher(replicas()))
    name, known = choose({"vault1": fresh, "vault2": vault(newer, replicas()), "vault3": vault(older, {})}, "node1")
    assert name == "vault1" and isinstance(known, Present)
    assert known.value.applied and known.value.applied.commit == "newer"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vault9", "vault9 is no vault that keeps it; those are vault1, vault2"),
        ("vault2", "vault2 knows epoch 1 only, vault1 knows 2"),
    ],
)
def test_a_vault_that_may_not_be_preferred(name: str, words: str) -> None:
    ahead = BOTH | {"vault1": vault(record(epoch=2), {})}
    assert choose(ahead, "node1", name)[1] == Unknown(words)
    assert choose(BOTH, "node1", "vault2")[0] == "vault2"


def spec() -> NodeSpec:
    made = node_spec()
    return made.model_copy(update={"vaults": dict.fromkeys(("vault1", "vault2"), made.vaults["vault1"])})


def wishes(made: NodeSpec, epoch: int | None, *more: Any) -> Wanted:
    pools = made.node.pools.items()
    return Wanted(pools={n: WantedPool(made.name, p.vdevs, p.ashift, p.properties, p.managed, epoch) for n, p in pools})


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    for kept in (live_operations._kept, record_operations._kept, verdict._said):
        kept.clear()


def planned(readings: dict[str, VaultReading], now: Any, **asks: Any) -> tuple[Any, Any]:
    """The job and its outline."""
    node = SimpleNamespace(name="node1", data={}, get_fact=lambda fact, **more: now, log_styled=lambda *a, **m: None)
    vaults = {
        name: SimpleNamespace(
            name=name,
            connected=True,
            data={},
            get_fact=lambda fact, each=each, **more: each,
            run_shell_command=lambda command, **more: (False, SimpleNamespace(stderr="no lock was ever taken")),
        )
        for name, each in readings.items()
    }
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=vaults.get))
    ways = bootstrap.Ways(wishes, lambda job, made: None, Path("/nowhere"), "ops@laptop", "abc")
    with ctx_state.use(state), ctx_host.use(node):
        job, _ = bootstrap.job_of(spec(), Asks(**asks), ways)
        return job, restore.outline_of(job, job.verdict.epoch, with_keys=False)


def test_a_rebuild_is_refused_with_the_vault_that_has_it_and_the_way_to_take_all_from_there() -> None:
    job, made = planned(BOTH, live())
    assert job.vault == "vault1"
    assert f"{CRM}: only vault vault2 has it (@blackstart_0)" in made.refusals[0].replace(f"_{NOW - 1380}", "_0")
    assert made.next_command == "pyinfra inventory deploys/bootstrap.py --limit node1 --data vault=vault2"
    record_operations._kept.clear()
    live_operations._kept.clear()
    job, made = planned(BOTH, live(), vault="vault2")
    assert job.vault == "vault2" and not made.refusals and CRM in {each.dataset for each in made.chosen}


def test_where_no_vault_has_everything_what_comes_from_another_is_left_for_later() -> None:
    _, made = planned(BOTH | {"vault2": vault(record(), without("tank/lxc/db"))}, live())
    assert made.refusals and made.hindered == (CRM,)
    assert made.next_command == f"pyinfra inventory deploys/bootstrap.py --limit node1 --data without={CRM}"


def test_one_dataset_comes_from_the_vault_that_has_it() -> None:
    there = (dataset("tank/data/db"), dataset("tank/lxc/db"))
    job, made = planned(BOTH, live(pools=(pool(),), datasets=there), dataset=CRM)
    assert (job.vault, job.vault_pool) == ("vault2", "tank")
    assert [each.dataset for each in made.chosen] == [CRM] and not made.refusals
