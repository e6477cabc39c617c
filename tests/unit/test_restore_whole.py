"""A snapshot that the vault's disk does not give back is refused, and what is whole is offered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rebuild_world import NOW, live, node_spec, record
from restore_world import Run, run
from test_restore_outline import replicas, snapshots

from blackstart.converge.wanted import Wanted
from blackstart.reading import Present
from blackstart.restore.job import Asks, Job
from blackstart.restore.means import planned
from blackstart.restore.outline import Outline
from blackstart.restore.show import as_text
from blackstart.vault import damage
from blackstart.vault.records import Replica, VaultReading, unknown
from blackstart.vault.zfs import CommandError
from blackstart.verdict import judge

__all__ = ["run"]

CRM, DB = "tank/data/crm", "tank/data/db"
IO = "Input/output error"
NEWEST, BEFORE = f"blackstart_{NOW - 1380}", f"blackstart_{NOW - 5000}"


def guid(found: dict[str, Replica], dataset: str, at: int = -1) -> str:
    return found[dataset].snapshots[at].guid


def vault(found: dict[str, Replica], *bad: str, **more: dict[str, Replica]) -> VaultReading:
    held = Present({"node1": found} | {name.replace("_", "."): each for name, each in more.items()})
    return replace(unknown("not asked"), replicas=held, damage=Present({"node1": dict.fromkeys(bad, IO)}))


def made(readings: dict[str, VaultReading], **asks: Any) -> Outline:
    spec, known = node_spec(), record()
    verdict = judge(spec, Present(known), live())
    job = Job(spec, spec, Wanted(), verdict, Asks(**asks), "vault1", "bank", Path(), "ops", "abc", Path(), ())
    return planned(job, known, readings, live(), clock=NOW, keys={}, epoch=2)


def test_what_is_whole_is_not_refused() -> None:
    found = replicas()
    assert not made({"vault1": vault(found)}).refusals
    assert not made({"vault1": vault(found, guid(found, CRM))}, at=BEFORE).refusals
    assert not made({"vault1": vault(found, guid(found, CRM, 0))}).refusals


def test_the_state_before_is_offered_for_all_of_it() -> None:
    found = replicas()
    refused = made({"vault1": vault(found, guid(found, CRM))})
    assert refused.refusals == [
        f"{CRM}: @{NEWEST} is damaged on the vault's disk ({IO}); @{BEFORE} is whole, as far as is known"
    ]
    assert refused.next_command.endswith(f"--data at={BEFORE}") and refused.about[CRM] == refused.refusals
    assert not made({"vault1": vault(found, guid(found, CRM))}, at=refused.offer).refusals
    assert f"next: {refused.next_command}" in as_text(refused)


def test_one_dataset_alone_is_offered_by_its_own_command() -> None:
    found = replicas()
    refused = made({"vault1": vault(found, guid(found, CRM))}, dataset=CRM)
    assert refused.next_command == f"blackstart restore node1/{CRM} --at {BEFORE}"
    assert not made({"vault1": vault(found, guid(found, CRM))}, dataset=DB).refusals


def test_another_vault_that_has_all_of_it_whole_comes_first() -> None:
    found = replicas()
    here = vault(found, guid(found, CRM))
    assert "vault=vault2" in made({"vault1": here, "vault2": vault(found)}).next_command
    for other in (vault(found, guid(found, DB)), vault({CRM: found[CRM]}), unknown("silent")):
        assert "vault=" not in made({"vault1": here, "vault2": other}).next_command


def test_a_name_that_not_all_have_is_offered_as_a_time() -> None:
    found = replicas()
    found[DB] = replace(
        found[DB], snapshots=tuple(replace(each, name=f"other_{each.name}") for each in found[DB].snapshots)
    )
    refused = made({"vault1": vault(found, guid(found, CRM))})
    assert refused.offer.endswith("Z") and "T" in refused.offer and not refused.offer.startswith("blackstart")
    assert not made({"vault1": vault(found, guid(found, CRM))}, at=refused.offer).refusals


def test_where_nothing_is_whole_no_older_state_is_offered_but_all_else() -> None:
    found = replicas()
    refused = made({"vault1": vault(found, guid(found, CRM), guid(found, CRM, 0))})
    assert "no older state of all is known to be whole" in refused.refusals[0]
    assert refused.next_command == f"pyinfra inventory deploys/bootstrap.py --limit node1 --data without={CRM}"
    assert refused.hindered == (CRM,)


def test_an_offer_never_leads_to_what_is_damaged_too() -> None:
    """Two datasets, damaged at different moments."""
    found = {
        name: replace(each, snapshots=snapshots(int(each.snapshots[0].guid), 1380, 5000, 9000))
        for name, each in replicas().items()
    }
    known = {name: each.snapshots[-1].guid for name, each in found.items()}
    bad = (known[CRM], found[DB].snapshots[1].guid)
    spec, recorded = node_spec(), record()
    recorded = replace(recorded, datasets={name: replace(each, guid="") for name, each in recorded.datasets.items()})
    job = Job(
        spec,
        spec,
        Wanted(),
        judge(spec, Present(recorded), live()),
        Asks(),
        "vault1",
        "bank",
        Path(),
        "",
        "",
        Path(),
        (),
    )
    refused = planned(job, recorded, {"vault1": vault(found, *bad)}, live(), clock=NOW, keys={}, epoch=2)
    assert refused.offer == f"blackstart_{NOW - 9000}"


def test_a_damaged_replica_that_made_way_is_named_until_the_new_one_is_there() -> None:
    found = replicas()
    rest = {name: each for name, each in found.items() if name != CRM}
    refused = made({"vault1": vault(rest, node1_damaged_7={})})
    assert "there is no replica" in refused.refusals[0]
    there = replace(vault(rest), replicas=Present({"node1": rest, "node1.damaged-7": {CRM: found[CRM]}}))
    (why,) = made({"vault1": there}).refusals
    assert why == (
        f"{CRM}: a new replica has not arrived yet; the one before is damaged: "
        f"bank/vault/replicas/node1.damaged-7/{CRM}"
    )


def test_the_restore_notes_what_it_cannot_read_and_brings_the_others(run: Run) -> None:
    first = run.plan.items[0]
    said = CommandError(f"zfs send: warning: cannot send '{first.source}@{first.snapshot}': {IO}")
    run.node.trouble[f"send {first.dataset}"] = [said]
    run.node.trouble[f"resume {first.dataset}"] = [said] * 5
    assert run() == 1
    assert damage.read(run.store.folder).bad == {first.guid: IO}
    assert "send tank/data/crm" in run.did and "step seal" not in run.did


def test_the_nodes_own_input_output_error_is_not_the_vaults(run: Run) -> None:
    first = run.plan.items[0]
    run.node.trouble[f"send {first.dataset}"] = [CommandError(f"node1: cannot receive: {IO}")] * 5
    run.node.trouble[f"resume {first.dataset}"] = [CommandError(f"node1: cannot receive: {IO}")] * 5
    assert run() == 1
    assert not damage.read(run.store.folder).bad
