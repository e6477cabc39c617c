"""The controller died after the vault had committed: what was left is known, done by the next run, done once."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FunctionCommand
from pyinfra.context import host as current

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import THERE, WAYS, Go
from rebuild_world import GUID, NOW, live, node_spec, pool, rebuild, record, store
from test_restore_outline import replicas
from test_restore_steps import world

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live, SnapshotLive
from blackstart.reading import Present, Unknown
from blackstart.restore.job import Asks, with_disks
from blackstart.restore.keeper import choose
from blackstart.restore.lineage import came_back, ended, is_left_behind
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record, Unfinished, dump_record, load_record
from blackstart.vault.records import VaultReading, unknown
from blackstart.vault.restore_commit import commit
from blackstart.vault.restore_open import changed
from blackstart.vault.store import patched
from operations import bootstrap, lineage, returned, verdict
from operations import live as live_operations
from operations import rebuild as rebuild_operations
from operations import record as record_operations

CRM, DB, ROOTFS = "tank/data/crm", "tank/data/db", "tank/lxc/db"
LEFT = Unfinished(NOW, "ops", True, {"ata-A": "ata-X"}, {CRM: "9000"})
MARKED = replace(record(), unfinished=LEFT)


def test_the_commit_says_what_is_left_and_an_earlier_rest_is_not_forgotten(tmp_path: Path) -> None:
    plan, _ = world()
    whole = {"pools": {"tank": {"guid": GUID, "size": 5, "members": ["ata-X"]}}, "applied": None}
    kept = store(tmp_path, record(rebuild=rebuild()))
    done = commit(kept, replace(plan, commit=whole, details={"disks": {"ata-A": "ata-X"}})).unfinished
    assert done and done.whole and done.disks == {"ata-A": "ata-X"}
    assert done.datasets == {CRM: "9000", DB: "9001", ROOTFS: "9002"}
    one = replace(plan, commit=None, items=(replace(plan.items[0], guid="5"),), details={"disks": {"ata-X": "ata-Z"}})
    again = commit(kept, one)
    assert again.unfinished and again.unfinished.whole and again.epoch == 2 and again.pools["tank"].guid == GUID
    assert again.unfinished.datasets == {CRM: "9000", DB: "5", ROOTFS: "9002"}
    assert again.unfinished.disks == {"ata-A": "ata-Z", "ata-X": "ata-Z"}
    assert load_record(dump_record(again)) == again


def test_one_dataset_that_is_back_is_marked_and_nothing_else_of_the_record_changes(tmp_path: Path) -> None:
    plan, _ = world()
    after = commit(store(tmp_path, replace(record(), epoch=2)), replace(plan, commit=None))
    assert after.unfinished and not after.unfinished.whole
    assert replace(after, unfinished=None) == replace(record(), epoch=2)


def test_a_record_of_before_has_nothing_left() -> None:
    old = json.loads(dump_record(record()))
    del old["unfinished"]
    assert load_record(json.dumps(old)) == record()


def test_only_what_was_finished_is_taken_back() -> None:
    assert changed(MARKED, {"do": "finished", "since": NOW}, NOW + 9).unfinished is None
    assert changed(MARKED, {"do": "finished", "since": NOW - 1}, NOW + 9).unfinished == LEFT
    assert patched("node1", MARKED, {"epoch": 2}).unfinished == LEFT


def carried(go: Go, known: Record, **asks: Any) -> tuple[list[Any], list[str]]:
    return go(
        bootstrap.bootstrap, live(pools=(pool(),), datasets=THERE), Present(known), node_spec(), Asks(**asks), WAYS
    )


def test_the_next_bootstrap_of_the_intact_node_goes_on_with_it(go: Go) -> None:
    commands, said = carried(go, MARKED)
    assert [type(command) for command in commands] == [FunctionCommand]
    assert commands[0].args[1].unfinished == LEFT and commands[0].args[2] is None
    assert "what follows a restore was not done" in " ".join(" ".join(said).split())
    assert carried(go, MARKED, plan_only=True)[0] == []
    assert carried(go, record())[0] == []


def test_a_rest_is_done_without_the_dataset_that_was_left_out(go: Go) -> None:
    def again(*without: str) -> list[Any]:
        lacks = live(pools=(pool(),), datasets=THERE[1:])
        return go(bootstrap.bootstrap, lacks, Present(MARKED), node_spec(), Asks(without=without), WAYS)[0]

    (refused,) = texts(again())
    assert f"{CRM} is gone from the pool, the vault has it" in refused and f"goes on with without={CRM}" in refused
    (command,) = again(CRM)
    assert isinstance(command, FunctionCommand) and command.args[1].unfinished == LEFT


def test_the_vault_that_holds_the_mark_is_the_one_that_is_asked() -> None:
    found = {
        name: replace(unknown("x"), records=Present({"node1": Present(each)}))
        for name, each in {"vault1": MARKED, "vault2": record()}.items()
    }
    assert choose(found, "node1")[0] == "vault1"


def run_job(go: Go, operation: Any, known: Record, reading: Live) -> tuple[list[Any], list[str]]:
    class Asked:
        @staticmethod
        def _inner() -> list[Any]:
            job, _ = bootstrap.job_of(node_spec(), Asks(), WAYS)
            return texts(operation._inner(job=job))

    return go(Asked, reading, Present(known))


def test_the_mark_goes_by_its_own_time(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(rebuild_operations, "tell", lambda job, **asked: told.append(asked))
    run_job(go, rebuild_operations.finished, MARKED, live(pools=(pool(),)))
    run_job(go, rebuild_operations.finished, record(), live(pools=(pool(),)))
    assert told == [{"do": "finished", "since": NOW}]


def test_the_new_disks_become_the_spec_in_the_later_run_too(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(returned.adopt, "adopt", lambda folder, node, disks: given.append(disks) or [])
    rebuilt = replace(record(with_disks(node_spec(), LEFT.disks)), unfinished=LEFT)
    run_job(go, returned.written, rebuilt, live(pools=(pool(),)))
    assert given == [{"ata-A": "ata-X"}]
    # The files name what the record does: exchanged once more, A=B,B=C would make two of C.
    run_job(go, returned.written, MARKED, live(pools=(pool(),)))
    assert len(given) == 1


def snapshots(**guids: str) -> Any:
    names = {"crm": CRM, "db": DB, "rootfs": ROOTFS}
    made = {names[key]: (SnapshotLive(names[key], "s", guid, 1, NOW, 0),) for key, guid in guids.items()}
    return replace(live(pools=(pool(),), datasets=THERE), snapshots=Present(made))


def newest(name: str) -> str:
    return replicas()[name].snapshots[-1].guid


def test_a_chain_has_ended_where_the_node_lacks_the_replicas_newest_snapshot() -> None:
    now = snapshots(crm=newest(CRM), db="5")
    assert ended(replicas(), now) == Present([DB, ROOTFS])
    assert ended(replicas(), now, {CRM, DB}) == Present([DB])
    gone = replace(now, datasets=Present({CRM: THERE[0]}))
    assert ended(replicas(), gone) == Present([])  # lost datasets are for a restore
    assert ended(replicas(), replace(now, snapshots=Unknown("a timeout"))) == Unknown("a timeout")


def test_a_lineage_is_begun_by_the_run_that_finishes(go: Go) -> None:
    marked = replace(MARKED, unfinished=replace(LEFT, datasets={CRM: "5", DB: newest(DB)}))
    commands, _ = run_job(go, lineage.begun, marked, snapshots(crm="5", db=newest(DB)))
    assert [command.args for command in commands] == [("vault1", "tank", "node1", CRM, "5", True)]
    assert run_job(go, lineage.begun, record(), snapshots(crm="5"))[0] == []
    blind = replace(snapshots(), snapshots=Unknown("a timeout"))
    (refused,) = run_job(go, lineage.begun, marked, blind)[0]
    assert "could not be read: a timeout" in refused


def at_epoch(epoch: int) -> VaultReading:
    held = Present({"node1": replicas()})
    return replace(unknown("x"), records=Present({"node1": Present(record(epoch=epoch))}), replicas=held)


def of_two_vaults() -> NodeSpec:
    spec = node_spec()
    return spec.model_copy(update={"vaults": dict.fromkeys(("vault1", "vault2"), spec.vaults["vault1"])})


def test_a_vault_that_missed_a_rebuild_keeps_its_ended_chains_aside(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, found = of_two_vaults(), {"vault1": at_epoch(2), "vault2": at_epoch(1)}
    monkeypatch.setattr(lineage, "readings", lambda spec: found)
    monkeypatch.setattr(lineage, "run", lambda host, command: "-")  # no single dataset came back
    now = snapshots(crm="5", db=newest(DB), rootfs=newest(ROOTFS))
    commands, _ = go(lineage.healed, now, Present(record()), wanted=Wanted(), spec=spec)
    assert [command.args for command in commands] == [("vault2", "tank", "node1", CRM, "e2", False)]
    found["vault2"] = at_epoch(2)
    assert go(lineage.healed, now, Present(record()), wanted=Wanted(), spec=spec)[0] == []


@pytest.mark.parametrize(
    ("mark", "there", "aside"),
    [
        ("{before}-t1763775780\n", "5", True),  # it came back while vault2 was away
        ("{before}-t1763775780\n", newest(CRM), False),  # the chain lives
        ("-\n", "5", False),  # it never came back: somebody took the snapshot away
        ("99-t1763775780\n", "5", True),  # from a snapshot that these vaults never had
    ],
)
def test_a_dataset_that_came_back_while_a_vault_was_away_begins_a_new_chain_there_with_the_next_run(
    go: Go, monkeypatch: pytest.MonkeyPatch, mark: str, there: str, aside: bool
) -> None:
    before = replicas()[CRM].snapshots[-2].guid
    asked: list[str] = []

    def ask(host: Any, command: str) -> str:
        asked.append(command)
        return mark.format(before=before)

    monkeypatch.setattr(lineage, "readings", lambda spec: {"vault1": at_epoch(2), "vault2": at_epoch(2)})
    monkeypatch.setattr(lineage, "run", ask)
    now = snapshots(crm=there, db=newest(DB), rootfs=newest(ROOTFS))
    commands, _ = go(lineage.healed, now, Present(record()), wanted=Wanted(), spec=of_two_vaults())
    assert asked == ([f"zfs get -Hp -o value blackstart:restored {CRM}"] * 2 if there == "5" else [])
    guid = came_back(mark.format(before=before))
    each = [(vault, "tank", "node1", CRM, guid, False) for vault in ("vault1", "vault2")]
    assert [command.args for command in commands] == (each if aside else [])


def test_a_dataset_whose_mark_cannot_be_read_is_left_and_said(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(host: Any, command: str) -> str:
        raise lineage.ShellError("node1: internal error")

    monkeypatch.setattr(lineage, "readings", lambda spec: {"vault1": at_epoch(2)})
    monkeypatch.setattr(lineage, "run", ask)
    now = snapshots(crm="5", db=newest(DB), rootfs=newest(ROOTFS))
    commands, said = go(lineage.healed, now, Present(record()), wanted=Wanted(), spec=of_two_vaults())
    assert commands == [] and f"whether {CRM} came back could not be read: node1: internal error" in said


def test_a_replica_is_left_behind_only_with_nothing_newer_in_common() -> None:
    replica = replicas()[CRM]
    first, *others = (snapshot.guid for snapshot in replica.snapshots)
    assert is_left_behind(replica, {first}, first) and is_left_behind(replica, (), first)
    assert not is_left_behind(replica, {first, others[0]}, first) and not is_left_behind(replica, {first}, others[-1])
    assert is_left_behind(replica, {"5"}, "5") and not is_left_behind(replica, {"5"}, "")
    assert came_back(f"{first}-e2\n") == first and came_back("-\n") == came_back("") == ""


def test_a_chain_is_judged_by_a_reading_of_the_node_that_is_younger_than_the_vaults(
    go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault pulls by its timer meanwhile: its newest snapshot is then in no earlier reading of the node."""
    found = {"vault1": at_epoch(2), "vault2": at_epoch(1)}
    monkeypatch.setattr(lineage, "readings", lambda spec: found)
    now = snapshots(crm=newest(CRM), db=newest(DB), rootfs=newest(ROOTFS))

    class Later:
        @staticmethod
        def _inner() -> list[Any]:
            host: Any = current
            host.reading = snapshots(crm="4", db="5", rootfs="6")  # before the pull
            live_operations.live(Wanted())
            host.reading = now
            return texts(lineage.healed._inner(wanted=Wanted(), spec=of_two_vaults()))

    assert go(Later, now, Present(record()))[0] == []


@pytest.mark.parametrize(("mandatory", "ends"), [(True, False), (False, True)])
def test_a_replica_that_cannot_be_put_aside(monkeypatch: pytest.MonkeyPatch, mandatory: bool, ends: bool) -> None:
    def fail(*arguments: Any) -> str:
        raise lineage.ShellError("vault2: dataset is busy")

    monkeypatch.setattr(lineage, "write", fail)
    said: list[str] = []
    host: Any = SimpleNamespace(log_styled=lambda line, **how: said.append(line))
    arguments = ("vault2", "tank", "node1", CRM, "5", mandatory)
    assert lineage._aside(SimpleNamespace(), host, *arguments) is ends
    assert "dataset is busy" in said[0]
    assert ("node1", "vault2") in record_operations.behind


def test_applying_goes_on_and_says_that_something_is_left(go: Go) -> None:
    arguments = {"spec": node_spec(), "wanted": Wanted(), "enroll": False, "disks": {}, "nodes": {}}
    commands, said = go(verdict.may_apply, live(pools=(pool(),), datasets=THERE), Present(MARKED), **arguments)
    assert commands == [] and any("deploys/bootstrap.py --limit node1" in line for line in said)
