"""Which disks a pool is made of again: the recorded ones, the ones that were given, or a proposal."""

from __future__ import annotations

from typing import Any

import pytest
from rebuild_world import (
    GB,
    OS_DISK,
    disk,
    live,
    node_spec,
    rebuild,
    record,
)

from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.vault.record import Record
from blackstart.verdict import Verdict, judge
from blackstart.verdict_disks import members, parse_disks
from blackstart.verdict_guard import render

NEW_DISKS = (
    *OS_DISK,
    disk("ata-X", "sdb", size=4 * GB + 2**20),
    disk("ata-Y", "sdc"),
    disk("ata-Z", "sdd", size=2 * GB),
)


def verdict(live: Live, of: Record | None = None, disks: dict[str, str] | None = None, **node: Any) -> Verdict:
    return judge(node_spec(**node), Present(of or record()), live, disks)


def test_the_refusal_prints_the_line_to_go_on_with_and_that_line_works() -> None:
    refused = verdict(live(disks=NEW_DISKS))
    assert refused.next_command == (
        "pyinfra inventory deploys/bootstrap.py --limit node1 --data disks=ata-A=ata-Y,ata-B=ata-X"
    )
    told = parse_disks(refused.next_command.rpartition("disks=")[2], ["ata-A", "ata-B"])
    judged = verdict(live(disks=NEW_DISKS), disks=told)
    assert judged.kind == "blank" and not judged.refusal
    assert [member.id for member in members(judged.create["tank"])] == ["ata-Y", "ata-X"]
    assert judged.disks == {"ata-A": "ata-Y", "ata-B": "ata-X"} and judged.epoch == 2


def test_any_blank_takes_fitting_disks_always_the_same_and_never_one_that_carries_something() -> None:
    judged = verdict(live(disks=NEW_DISKS), replacement="any-blank")
    assert judged.disks == {"ata-A": "ata-Y", "ata-B": "ata-X"} and not judged.refusal
    again = verdict(live(disks=tuple(reversed(NEW_DISKS))), replacement="any-blank")
    assert again.disks == judged.disks
    full = (*OS_DISK, disk("ata-X", "sdb", signature=Present("ext4")), disk("ata-Y", "sdc"))
    refused = verdict(live(disks=full), replacement="any-blank")
    assert refused.refusal and not refused.create and "lsblk" in refused.next_command


def test_disks_that_zfs_would_have_to_be_forced_to_take_together_are_refused_before_anything_is_opened() -> None:
    uneven = (*OS_DISK, disk("ata-X", "sdb", size=5 * GB), disk("ata-Y", "sdc"))
    for words in (
        {"replacement": "any-blank"},
        {"replacement": "ask"},
        {"disks": {"ata-A": "ata-X", "ata-B": "ata-Y"}},
    ):
        refused = verdict(live(disks=uneven), **words)
        assert refused.kind == "blank" and not refused.create
        assert "ata-X has 5GB and ata-Y has 4GB: ZFS makes no mirror of disks" in refused.refusal, refused.refusal
        assert "lsblk" in refused.next_command


def test_a_replacement_that_was_named_and_is_not_blank_is_not_replaced_by_another() -> None:
    full = (*NEW_DISKS, disk("ata-F", "sde", signature=Present("ext4")))
    judged = verdict(live(disks=full), disks={"ata-A": "ata-F", "ata-B": "ata-X"}, replacement="any-blank")
    assert judged.kind == "foreign" and not judged.create
    assert judged.next_command.endswith("disks=ata-A=ata-Y,ata-B=ata-X")


def test_an_open_rebuild_remembers_the_disks_it_was_given() -> None:
    known = record(rebuild=rebuild(disks={"ata-A": "ata-X", "ata-B": "ata-Y"}))
    judged = verdict(live(disks=NEW_DISKS), known)
    assert judged.kind == "blank" and [m.id for m in members(judged.create["tank"])] == ["ata-X", "ata-Y"]


def test_the_recorded_members_count_not_those_of_the_working_tree() -> None:
    wished = {"tank": {"vdevs": [{"type": "disk", "members": [{"id": "ata-Z", "size": "1GB"}]}]}}
    judged = judge(node_spec(pools=wished), Present(record()), live())
    assert [member.id for member in members(judged.create["tank"])] == ["ata-A", "ata-B"]


def test_disks_given_must_name_recorded_ones() -> None:
    assert parse_disks("virtio-a=b=virtio-c", ["virtio-a=b"]) == {"virtio-a=b": "virtio-c"}
    with pytest.raises(ValueError, match="ata-Q=ata-X"):
        parse_disks("ata-Q=ata-X", ["ata-A"])


def test_the_verdict_fits_eighty_columns_except_for_the_line_to_copy() -> None:
    text = render(verdict(live(disks=NEW_DISKS)))
    assert text.startswith("node1: blank\n")
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("  next: "))


def test_an_id_is_never_folded() -> None:
    name = "virtio-NODE1-0123456789-part3"
    said = f"a sentence that is long enough to be folded somewhere about here: {name} is not there"
    text = render(
        Verdict("node1", "unknown", (said,), refusal=f"it is refused, as was said before, for {name} is gone")
    )
    assert text.count(name) == 2 and max(map(len, text.splitlines())) <= 66
