"""What comes back, from which snapshot, in which order; what does not, and what forbids to begin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rebuild_world import NOW, node_spec, record

from blackstart.restore.at import parse_time
from blackstart.restore.outline import Means, Outline, outline, round_size, say_age
from blackstart.restore.show import as_text
from blackstart.vault.records import Replica, ReplicaSnapshot

MB = 10**6


def snapshots(guid: int, *ages: int) -> tuple[ReplicaSnapshot, ...]:
    return tuple(
        ReplicaSnapshot(f"blackstart_{NOW - age}", str(guid + 100 * at), NOW - age, 1, 0, 40 * MB)
        for at, age in enumerate(reversed(ages))
    )


def replicas(**more: Any) -> dict[str, Replica]:
    """Three datasets, each with a snapshot of now - 1380 s (as recorded) and an older one."""
    found = {
        name: Replica(name, 50 * MB, name == "tank/data/db", False, tuple(reversed(snapshots(9000 + at, 5000, 1380))))
        for at, name in enumerate(("tank/data/crm", "tank/data/db", "tank/lxc/db"))
    }
    return {
        name: replace(each, snapshots=tuple(sorted(each.snapshots, key=lambda s: s.creation)))
        for name, each in found.items()
    } | more


def made(found: dict[str, Replica] | None = None, **values: Any) -> Outline:
    means = Means(NOW, values.pop("keys", {}), values.pop("free", {}))
    return outline(node_spec(), record(), replicas() if found is None else found, means, 2, **values)


def test_everything_comes_back_by_priority_with_its_age_and_the_rest_is_named() -> None:
    whole = made()
    assert [each.dataset for each in whole.chosen] == ["tank/data/db", "tank/lxc/db", "tank/data/crm"]
    assert {each.age for each in whole.chosen} == {1380} and whole.bytes == 120 * MB
    assert not whole.refusals and not whole.warnings
    assert whole.left["tank/scratch"] == "can be made again"
    assert "cloned again" in whole.left["tank/lxc/crm"]
    text = as_text(whole)
    assert "you lose 23 min" in text and "together 120 MB" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_an_older_moment_or_a_snapshot_by_name() -> None:
    older = made(at=f"blackstart_{NOW - 5000}")
    assert {each.age for each in older.chosen} == {5000} and not any(each.newest for each in older.chosen)
    assert "not the newest" in as_text(older)
    assert not older.warnings  # what was asked for is not late
    assert [each.age for each in made(at="2030-01-01T00:00:00Z").chosen] == [1380] * 3
    never = made(at="2001-01-01")
    assert len(never.refusals) == 3 and "no snapshot 2001-01-01" in never.refusals[0] and never.next_command
    assert parse_time("2026-09-21T14:13:20Z") == parse_time("2026-09-21 16:13:20+02:00") == 1790000000
    assert parse_time("blackstart_2026-09-21T14:13:20Z") is None


@pytest.mark.parametrize(
    ("found", "values", "words"),
    [
        ({"tank/data/crm": None}, {}, "there is no replica"),
        ({"tank/data/crm": Replica("tank/data/crm", 1, False, False, snapshots(5, 60))}, {}, "guid 9000"),
        ({"tank/data/crm": Replica("tank/data/crm", 1, False, True, ())}, {}, "there is no replica"),
        ({}, {"keys": {"tank/data/db": "file:keys/db.key: no such file"}}, "its key is not at hand"),
        ({}, {"free": {"tank": 100 * MB}}, "pool tank has 100 MB free, the snapshots need 120 MB"),
        ({}, {"only": {"tank/nothing"}}, "tank/nothing is no dataset of node1"),
        ({"tank/data/crm": Replica("tank/data/crm", 1, True, False, snapshots(9000, 60))}, {}, "names no key"),
    ],
)
def test_what_forbids_to_begin(found: dict[str, Any], values: dict[str, Any], words: str) -> None:
    there = {name: each for name, each in (replicas() | found).items() if each is not None}
    refused = made(there, **values)
    assert any(words in refusal for refusal in refused.refusals), refused.refusals
    assert refused.next_command and f"next: {refused.next_command}" in as_text(refused)


def test_too_old_is_a_warning_and_never_arrived_is_said() -> None:
    old = outline(node_spec(), record(), replicas(), Means(NOW + 7200), 2)
    assert len(old.warnings) == 3 and "accepted are 60 min" in old.warnings[0] and not old.refusals
    fresh = record()
    fresh.datasets["tank/data/crm"] = replace(fresh.datasets["tank/data/crm"], guid="", snapshot="")
    there = {name: each for name, each in replicas().items() if name != "tank/data/crm"}
    empty = outline(node_spec(), fresh, there, Means(NOW), 2)
    assert "will be empty" in empty.left["tank/data/crm"] and not empty.refusals


def test_a_replica_that_the_spec_does_not_know_is_named_not_restored() -> None:
    whole = made(replicas() | {"tank/old": Replica("tank/old", 1, False, False, snapshots(4, 60))})
    assert "tank/old" not in [each.dataset for each in whole.chosen]
    assert "stays on the vault" in whole.left["tank/old"]


def test_a_parent_comes_before_its_child_whatever_the_priorities() -> None:
    datasets = {"tank/a": {"priority": 90}, "tank/a/b": {"priority": 1}, "tank/c": {"priority": 5}}
    spec = node_spec(datasets=datasets)
    found = {name: Replica(name, 1, False, False, snapshots(7, 60)) for name in datasets}
    whole = outline(spec, replace(record(), datasets={}), found, Means(NOW), 2, only=set(datasets))
    assert [each.dataset for each in whole.chosen] == ["tank/a", "tank/a/b", "tank/c"]


def test_ages_for_people() -> None:
    assert [say_age(n) for n in (5, 119, 120, 1380, 7200, 90000, 200000)] == [
        "5 s", "119 s", "2 min", "23 min", "2 h 0 min", "25 h 0 min", "2 d 7 h",
    ]  # fmt: skip


def test_sizes_for_people() -> None:
    assert [round_size(n) for n in (0, 999, 1000, 72_400_000, 999_600_000, 4 * 10**12)] == [
        "0 B", "999 B", "1 kB", "72.4 MB", "1 GB", "4 TB",
    ]  # fmt: skip


def test_what_lies_on_a_pool_that_was_not_lost_stays_and_only_the_rest_comes_back() -> None:
    means = Means(NOW, there={"tank/data/db"}, kept={"tank/data/db"})
    whole = outline(node_spec(), record(), replicas(), means, 2)
    assert [each.dataset for each in whole.chosen] == ["tank/lxc/db", "tank/data/crm"]
    assert "stays as it is" in whole.left["tank/data/db"]


def test_a_dataset_with_others_below_it_is_not_exchanged_alone() -> None:
    there = Means(NOW, there={"tank/data/crm", "tank/data/crm/files", "tank/data/crm.aside-1"})
    asked = outline(node_spec(), record(), replicas(), there, 1, only={"tank/data/crm"})
    assert asked.refusals == ["tank/data/crm cannot be exchanged alone: tank/data/crm/files would be put aside with it"]
    free = Means(NOW, there={"tank/data/crm", "tank/data/crm.aside-1", "tank/data/crm2/files"})
    assert not outline(node_spec(), record(), replicas(), free, 1, only={"tank/data/crm"}).refusals
