"""The record through a rebuild: opened once, gone on with, committed whole; and which of several vaults is believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rebuild_world import NOW, OTHER, node_spec, rebuild, record, store
from test_restore_steps import world

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.restore.adopt import exchanged
from blackstart.restore.differs import differences
from blackstart.restore.keeper import choose
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from blackstart.vault.restore_commit import commit, outcome
from blackstart.vault.restore_lock import Busy, held
from blackstart.vault.restore_open import changed
from blackstart.vault.restore_status import Status


def ask(**more: Any) -> dict[str, Any]:
    return {"do": "open", "epoch": 2, "by": "ops", "disks": {"ata-A": "ata-X"}, "host_key": "k"} | more


def test_a_rebuild_is_opened_once_and_gone_on_with() -> None:
    opened = changed(record(), ask(), NOW)
    assert opened.rebuild and (opened.rebuild.epoch, opened.rebuild.started, opened.epoch) == (2, NOW, 1)
    again = changed(opened, ask(disks={"ata-B": "ata-Y"}, by="other", host_key=""), NOW + 99)
    assert again.rebuild and again.rebuild.started == NOW and again.rebuild.by == "ops"
    assert again.rebuild.disks == {"ata-A": "ata-X", "ata-B": "ata-Y"} and again.rebuild.host_key == "k"
    made = changed(again, {"do": "made", "pools": {"tank": OTHER}}, NOW)
    assert made.rebuild and made.rebuild.pools == {"tank": OTHER}
    assert changed(again, {"do": "abandon", "by": "ops"}, NOW).rebuild is None


@pytest.mark.parametrize(
    ("known", "asked", "words"),
    [
        (None, ask(), "only an enrolled node"),
        (record(), ask(epoch=3), "leads to 2"),
        (record(), {"do": "made", "pools": {}}, "no rebuild is open"),
        (record(rebuild=rebuild()), {"do": "dance"}, "dance"),
        (record(rebuild=rebuild(2, {"tank": OTHER})), {"do": "abandon", "by": "ops"}, "has made tank already"),
    ],
)
def test_what_the_record_does_not_allow(known: Record | None, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        changed(known, asked, NOW)


def test_the_end_is_written_in_one_piece_and_twice_is_once(tmp_path: Path) -> None:
    plan, _ = world()
    wanted = {"pools": {"tank": {"guid": OTHER, "size": 5, "members": ["ata-X"]}}, "host_key": "new", "applied": None}
    plan = replace(plan, commit=wanted)
    kept = store(tmp_path, record(rebuild=rebuild(2, {"tank": OTHER})))
    for _ in range(2):
        told: list[Record] = []
        after = commit(kept, plan, told.append)
        assert told == [after]
        assert (after.epoch, after.rebuild, after.host_key) == (2, None, "new")
        assert after.pools["tank"].guid == OTHER and after.pools["tank"].members == ("ata-X",)
        assert after.datasets == record().datasets and after.applied == record().applied
    with pytest.raises(ValueError, match="epoch 2"):
        commit(kept, replace(plan, epoch=1), told.append)
    assert told == [after]


def test_the_outcome_says_what_was_lost_and_how_long_it_took(tmp_path: Path) -> None:
    plan, _ = world()
    status = Status(plan, tmp_path)
    for item in status.items.values():
        item.sent = 10
    event = outcome(plan, status, record(), NOW + 38.0)
    assert event["event"] == "rebuilt" and event["bytes"] == 30
    assert event["rpo"] == 1320 and event["rto"] == 98.0  # begun 60 s before, from snapshots 1380 s old


def test_a_second_worker_is_told_who_the_first_is(tmp_path: Path) -> None:
    said = r"ops@laptop \(restore to epoch 2\), since "
    with held(tmp_path, "ops@laptop", "restore to epoch 2"), pytest.raises(Busy, match=said):
        held(tmp_path, "x", "y").__enter__()
    with held(tmp_path, "x", "y"):
        pass


def reading(known: Any) -> VaultReading:
    return replace(unknown("not asked"), records=known)


def test_of_several_vaults_the_highest_epoch_counts_and_silence_never_makes_a_node_new() -> None:
    old, new = record(epoch=1), record(epoch=3)
    both = {"v1": reading(Present({"node1": Present(new)})), "v2": reading(Present({"node1": Present(old)}))}
    assert choose(both, "node1") == ("v1", Present(new))
    silent = {"v1": unknown("connection refused"), "v2": reading(Present({}))}
    _, found = choose(silent, "node1")
    assert isinstance(found, Unknown) and "connection refused" in found.why
    assert choose(silent | {"v3": reading(Present({"node1": Present(old)}))}, "node1") == ("v3", Present(old))
    assert choose({"v2": reading(Present({})), "v3": reading(ABSENT)}, "node1") == ("", ABSENT)
    assert isinstance(choose({}, "node1")[1], Unknown)
    torn = {"v1": reading(Present({"node1": Unknown("not a record")})), "v2": reading(Present({}))}
    assert isinstance(choose(torn, "node1")[1], Unknown)


def test_replaced_ids_become_the_spec_and_nothing_else_changes() -> None:
    text = '# ata-A stays in words\nmembers = [\n  { id = "ata-A", size = "4GB" }, # left\n  { id = "ata-AB" },\n]\n'
    assert exchanged(text, {"ata-A": "ata-X"}) == text.replace('"ata-A"', '"ata-X"')
    swapped = exchanged('["ata-A", "ata-B"]', {"ata-A": "ata-B", "ata-B": "ata-A"})
    assert swapped == '["ata-B", "ata-A"]'


def test_differences_between_the_recorded_spec_and_the_working_tree() -> None:
    now = node_spec(host={"packages": ["htop"]}, replacement="any-blank", host_key="ssh-ed25519 BBBB")
    assert differences(node_spec(), now) == ['node.host.packages: recorded [], now ["htop"]']
    assert differences(node_spec(), node_spec()) == []
    many = node_spec(host={"sysctl": {f"vm.x{number}": "1" for number in range(30)}})
    assert differences(node_spec(), many, most=3)[-1] == "and 27 more"
