"""What a node's gate answers, what may be received where, and how old data is."""

from __future__ import annotations

import pytest

from blackstart.vault import layout
from blackstart.vault.exchange import Source, aim, finish_lines, obstacle, parse_begin
from blackstart.vault.freshness import freshness
from blackstart.vault.zfs import CommandError, Snapshot, run

DATASETS = ("tank/data/a", "tank/data/b")
NAME = "blackstart_2026-11-22T01:43:00Z"


def snapshot(guid: str, name: str = NAME) -> Snapshot:
    return Snapshot("tank/data/a", name, guid, 1)


def test_a_lost_dataset_does_not_hide_the_others() -> None:
    text = (
        "D cannot open 'tank/data/b': dataset does not exist\nD tank/data/a\taes-256-gcm\n"
        f"S tank/data/a@{NAME}\t5\t1763775780\nS tank/data/a#{NAME}\t5\t1763775780\n= 0\n"
    )
    source = parse_begin(text, DATASETS)
    assert source.datasets == {"tank/data/a": True}
    assert source.missing == ("tank/data/b",)
    assert [item.bookmark for item in source.snapshots] == [False, True]
    assert source.failed == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "D tank/data/a\toff\nD tank/data/b\toff\n",
        "D tank/data/a\toff\n= 0\n",
        "D cannot open 'tank/data/b': I/O error\nD tank/data/a\toff\n= 0\n",
        "D The ZFS modules cannot be auto-loaded.\n= 0\n",
    ],
)
def test_what_was_not_said_is_not_missing(text: str) -> None:
    with pytest.raises(ValueError, match=r"cut off|every dataset|I/O error|modules"):
        parse_begin(text, DATASETS)


def test_a_refused_snapshot_is_told() -> None:
    text = "D tank/data/a\toff\nD tank/data/b\toff\nT cannot create snapshots : permission denied\n= 1\n"
    assert parse_begin(text, DATASETS).failed == "cannot create snapshots : permission denied"


def test_only_a_new_target_or_one_that_continues_may_be_received_into() -> None:
    node = [snapshot("1"), snapshot("2"), snapshot("3")]
    assert obstacle(node, [], exists=False, resumable=False) == ""
    assert obstacle(node, [], exists=True, resumable=True) == ""
    assert obstacle(node, [snapshot("1"), snapshot("2")], exists=True, resumable=False) == ""
    assert "without a snapshot" in obstacle(node, [], exists=True, resumable=False)
    assert "shares no snapshot" in obstacle(node, [snapshot("9")], exists=True, resumable=False)
    assert "is not on the node" in obstacle(node, [snapshot("2"), snapshot("9")], exists=True, resumable=False)


def test_the_node_is_told_what_to_bookmark_and_what_is_held() -> None:
    assert finish_lines([snapshot("5")], {"tank/data/a": [snapshot("4"), snapshot("5")]}) == (
        f"bookmark tank/data/a@{NAME}\nconfirmed tank/data/a 4\nconfirmed tank/data/a 5\nend\n"
    )


def test_names_carry_the_vaults_clock() -> None:
    taken = layout.snapshot_time(NAME)
    assert taken is not None
    assert layout.snapshot_name(taken) == NAME
    assert layout.snapshot_time("daily_2026") is None
    have = {"a": [("other", 10**12), (NAME, 7)], "c": [(NAME, 0)], "d": [("foreign", taken)]}
    ages = freshness(["a", "b", "d"], have, taken + 100, rpo=60)
    assert [(age.dataset, age.seconds, age.state) for age in ages] == [
        ("a", 100, "stale"),
        ("b", None, "missing"),
        ("d", 100, "stale"),
    ]
    assert freshness(["c"], have, taken + 60, rpo=60)[0].state == "fresh"
    assert freshness(["c"], have, taken - 3600, rpo=60)[0].state == "suspect"


def test_what_has_to_arrive_is_what_was_begun_whatever_a_signal_took_in_between() -> None:
    names = [f"blackstart_2026-11-22T01:43:0{second}Z" for second in (0, 1, 2)]
    have = tuple(Snapshot("tank/a", name, "1", 1) for name in (*names, "mine"))
    assert aim(Source({}, (), have, ""), names[1]) == names[1]
    assert aim(Source({}, (), have, "out of space"), "blackstart_2026-11-22T01:43:09Z") == names[2]
    assert aim(Source({}, (), (Snapshot("tank/a", names[0], "1", 1, bookmark=True),), "x"), names[1]) == ""


def test_one_that_stays_silent_is_not_waited_for() -> None:
    with pytest.raises(CommandError, match=r"^sleep: no answer within 0 s$"):
        run("sleep", "60", within=0.1)
