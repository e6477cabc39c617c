"""Retention on a vault: by its own clock, never the newest, never what is held."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.vault import layout, prune, zfs
from blackstart.vault.config import Keep, Replication
from blackstart.vault.prune import expired, released
from blackstart.vault.replicate import unheld
from blackstart.vault.store import Store
from blackstart.vault.zfs import Snapshot, parse_tags

NOON = 1763812800  # 2025-11-22T12:00:00Z


def at(seconds: int, guid: str, holds: int = 0) -> Snapshot:
    return Snapshot("r", layout.snapshot_name(seconds), guid, seconds, holds)


def test_hours_days_and_months_keep_their_newest() -> None:
    have = [
        at(NOON - 86400 * 40, "month"),
        at(NOON - 86400, "day"),
        *(at(NOON - 900 * i, str(i)) for i in (6, 5, 4, 1, 0)),
    ]
    gone = expired(have, Keep(hourly=2, daily=2, monthly=2), NOON, ())
    # 12:00 and 11:45 are the newest of their hours, the day before and October have one each.
    assert [item.guid for item in gone] == ["6", "5", "4"]


def test_held_named_newest_and_foreign_ones_stay() -> None:
    foreign = Snapshot("r", "daily_1", "f", 1)
    have = [
        foreign,
        at(NOON - 500, "held", 1),
        at(NOON - 400, "named"),
        at(NOON - 300, "gone"),
        at(NOON - 200, "newest"),
    ]
    assert [item.guid for item in expired(have, Keep(0, 0, 0), NOON, {"named"})] == ["gone"]
    assert expired([*have, Snapshot("r", "daily_2", "g", 2)], Keep(0, 0, 0), NOON, {"named"})[-1].guid == "newest"


def test_a_clock_that_went_back_removes_nothing() -> None:
    have = [at(NOON - 7200, "1"), at(NOON - 3600, "2"), at(NOON, "3")]
    assert expired(have, Keep(0, 0, 0), NOON - 1, ()) == []
    assert len(expired(have, Keep(0, 0, 0), NOON, ())) == 2


@given(
    st.lists(st.tuples(st.integers(0, 86400 * 400), st.booleans()), max_size=40, unique_by=lambda pair: pair[0]),
    st.builds(Keep, *[st.integers(0, 5)] * 3),
)
def test_it_is_stable_and_never_empties(ages: list[tuple[int, bool]], keep: Keep) -> None:
    have = [at(NOON - age, str(age), int(held)) for age, held in sorted(ages, reverse=True)]
    gone = expired(have, keep, NOON, ())
    left = [item for item in have if item not in gone]
    assert not any(item.holds for item in gone)
    assert left[-1:] == have[-1:]
    assert expired(left, keep, NOON, ()) == []


@given(
    st.lists(st.integers(0, 86400 * 400), min_size=1, max_size=20, unique=True),
    st.lists(st.integers(1, 86400 * 400), max_size=20, unique=True),
    st.builds(Keep, *[st.integers(0, 5)] * 3),
)
def test_names_that_an_intruder_makes_up_take_the_place_of_none(good: list[int], faked: list[int], keep: Keep) -> None:
    have = [at(NOON - age, f"good {age}") for age in sorted(good, reverse=True)]
    fakes = [at(NOON - age, f"fake {age}") for age in faked if age > min(good)]
    last = at(NOON, "last")
    stay = set(have) - set(expired([*have, last], keep, NOON, ()))
    assert stay <= set(have) - set(expired([*have, *fakes, last], keep, NOON, ()))


def test_only_replications_own_older_holds_are_released() -> None:
    a, b, c = (at(NOON + i, str(i), 1) for i in range(3))
    tags = {str(a): {layout.HOLD}, str(b): {layout.HOLD, layout.RESTORE_HOLD}, str(c): {layout.HOLD}}
    assert released([a, b, c], tags) == [a]
    assert released([a, b, c], {str(a): {layout.HOLD}}) == []


def test_another_ones_hold_does_not_stand_in_for_replications_own() -> None:
    a, b, c = (at(NOON + i, str(i), 1) for i in range(3))
    said = f"{a}\tblackstart-restore\tSun Nov 22 01:43 2026\n{b}\tblackstart\tSun Nov 22 01:43 2026\n"
    assert unheld([a, b, c], parse_tags(said + f"{b}\tmine\tSun Nov 22 01:44 2026\n")) == [str(a), str(c)]
    assert parse_tags(said) == {str(a): {layout.RESTORE_HOLD}, str(b): {layout.HOLD}}


class Replica:
    """zfs of a vault with one dataset of three snapshots, all but the newest past their time."""

    def __init__(self, clones: dict[str, str]) -> None:
        self.clones = clones
        self.have = [at(NOON + i, str(i)) for i in range(3)]
        self.destroyed: list[str] = []

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        if words[1] == "destroy":
            self.destroyed.append(words[-1])
            return ""
        if "name,clones" in words:
            return "".join(f"{item}\t{self.clones.get(str(item), '-')}\n" for item in self.have)
        return "".join(f"{item}\t{item.guid}\t{item.creation}\t{item.holds}\n" for item in self.have)


def pruned(replica: Replica, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    for module in (prune, zfs):
        monkeypatch.setattr(module, "run", replica)
    monkeypatch.setattr(prune, "receiving", lambda root: {"bank/vault/replicas/node1": ""})
    monkeypatch.setattr(prune.stale, "give_up", lambda folder, root: [])
    monkeypatch.setattr(prune, "Store", lambda node: Store(node, str(tmp_path)))
    wishes = Replication("node1", "vault1", "bank", ("tank/a",), 900, 3600, Keep(0, 0, 0))
    return prune.Pruning(wishes, NOON + 9).run()


def test_a_drills_clone_keeps_its_snapshot_and_is_said_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second, _ = (at(NOON + i, str(i)) for i in range(3))
    replica = Replica({str(first): "bank/vault/drills/node1/00-tank:a"})
    kept, removed = pruned(replica, monkeypatch, tmp_path)
    assert kept == (
        f"kept {first}, which is past its time: bank/vault/drills/node1/00-tank:a is a clone of it; "
        "next: blackstart drill node1"
    )
    assert removed == f"removed {second} (guid 1)" and replica.destroyed == [str(second)]
