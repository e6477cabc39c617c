"""Every row of the verdict table, and what no combination of readings may ever lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rebuild_world import (
    BLANK,
    GB,
    GUID,
    OS_DISK,
    OTHER,
    dataset,
    disk,
    live,
    node_spec,
    on_disks,
    pool,
    rebuild,
    record,
)

from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import DatasetRecord, Record
from blackstart.verdict import Verdict, judge
from blackstart.verdict_datasets import judge_datasets, lost
from blackstart.verdict_disks import by_id, members, occupied, parse_disks
from blackstart.verdict_guard import refuse_apply, refuse_bootstrap, render
from blackstart.verdict_pools import claimed_epoch

WHY = Unknown("permission refused")
MEMBER = Present("zfs_member")
OLD_POOL = (*OS_DISK, disk("ata-A", "sdb", signature=Present("gpt")), disk("ata-B", "sdc"))
PART = disk("ata-A-part1", "sdb1", parent="/dev/sdb", signature=MEMBER, uuid=GUID, label="tank")
NEW_DISKS = (*OS_DISK, disk("ata-X", "sdb", size=5 * GB), disk("ata-Y", "sdc"), disk("ata-Z", "sdd", size=2 * GB))


def verdict(live: Live, of: Record | None = None, disks: dict[str, str] | None = None, **node: Any) -> Verdict:
    return judge(node_spec(**node), Present(of or record()), live, disks)


def with_a(**values: Any) -> Live:
    """Blank disks but for what ata-A is said to be."""
    return live(disks=(*OS_DISK, disk("ata-A", "sdb", **values), disk("ata-B", "sdc")))


# (what is there, record, kind, words of the refusal or None)
TABLE: list[tuple[str, Live, Record, str, str | None]] = [
    ("pool imported", live(pools=(pool(),)), record(), "intact", None),
    ("pool imported, members unreadable", live(pools=(pool(),), disks=WHY), record(), "intact", None),
    ("degraded but imported", live(pools=(pool(state="DEGRADED"),)), record(), "intact", None),
    ("comment rewritten by hand", live(pools=(pool(epoch=None),)), record(), "intact", None),
    ("imported but suspended", live(pools=(pool(state="SUSPENDED"),)), record(), "importable", "SUSPENDED"),
    (
        "rebuild open, guid journalled",
        live(pools=(pool(OTHER, 2),)),
        record(rebuild=rebuild(2, {"tank": OTHER})),
        "resuming",
        None,
    ),
    (
        "rebuild open, killed before the guid was",
        live(pools=(pool(OTHER, 2),)),
        record(rebuild=rebuild()),
        "resuming",
        None,
    ),
    ("rebuild open, rebooted", live(importable=(on_disks(OTHER, 2),)), record(rebuild=rebuild()), "resuming", None),
    ("rebuild open, nothing made", live(), record(rebuild=rebuild()), "blank", None),
    (
        "rebuild open, old pool here",
        live(pools=(pool(),)),
        record(rebuild=rebuild()),
        "superseded",
        "--abandon|rebuild to epoch 2 is open",
    ),
    ("data survived", live(importable=(on_disks(),)), record(), "importable", None),
    ("data survived, one leg", live(importable=(on_disks(state="DEGRADED"),)), record(), "importable", None),
    ("data survived, too few legs", live(importable=(on_disks(state="UNAVAIL"),)), record(), "importable", "UNAVAIL"),
    (
        "data survived, no ZFS tools yet",
        live(disks=(*OLD_POOL, PART), zfs=ABSENT, pools=ABSENT),
        record(),
        "importable",
        None,
    ),
    ("all gone, blank disks", live(), record(), "blank", None),
    ("all gone, no ZFS tools yet", live(zfs=ABSENT, pools=WHY, importable=WHY), record(), "blank", None),
    ("other pool of the name imported", live(pools=(pool(OTHER, None),)), record(), "foreign", "not the recorded"),
    (
        "other pool of the name on the disks",
        live(importable=(on_disks(OTHER, None),)),
        record(),
        "foreign",
        "not the recorded",
    ),
    ("member has a file system", with_a(signature=Present("ext4")), record(), "foreign", "ext4"),
    ("member has a RAID", with_a(signature=Present("linux_raid_member")), record(), "foreign", "linux_raid_member"),
    (
        "member has another pool",
        live(disks=(*OLD_POOL, replace(PART, uuid=OTHER, label="old"))),
        record(),
        "foreign",
        "old",
    ),
    ("member is mounted", with_a(mounted=("/mnt",)), record(), "foreign", "/mnt"),
    ("returned after its rebuild elsewhere", live(pools=(pool(OTHER, 1),)), record(epoch=2), "superseded", "epoch 1"),
    ("returned, not imported", live(importable=(on_disks(OTHER, 1),)), record(epoch=2), "superseded", "epoch 1"),
    (
        "half-built attempt returned",
        live(pools=(pool(OTHER, 2),)),
        record(rebuild=rebuild(2, {"tank": "3"})),
        "superseded",
        "replaced",
    ),
    ("pool newer than the record", live(pools=(pool(OTHER, 3),)), record(epoch=2), "unknown", "stale"),
    ("newer pool on the disks", live(importable=(on_disks(OTHER, 3),)), record(epoch=2), "unknown", "stale"),
    ("no ZFS module", live(zfs=Unknown("no ZFS module")), record(), "unknown", "no ZFS module"),
    ("pools unreadable", live(pools=WHY), record(), "unknown", "permission refused"),
    ("importable pools unreadable", live(importable=WHY), record(), "unknown", "permission refused"),
    ("disks unreadable", live(disks=WHY), record(), "unknown", "permission refused"),
    ("signature of a member unreadable", with_a(signature=WHY), record(), "unknown", "permission refused"),
    (
        "signature of another disk unreadable",
        live(disks=(*BLANK, disk("ata-Q", "sdd", signature=WHY))),
        record(),
        "unknown",
        "permission refused",
    ),
    ("recorded member, not listed by zpool", live(disks=(*OLD_POOL, PART)), record(), "unknown", "does not list"),
    (
        "one disk under two names",
        live(disks=(*OS_DISK, replace(disk("ata-A", "sdb"), ids=("ata-A", "ata-B")))),
        record(),
        "blank",
        "the same /dev/sdb",
    ),
    ("disk too small", with_a(size=GB), record(), "blank", "less than"),
    ("other disks", live(disks=NEW_DISKS), record(), "blank", "ata-A is not there"),
    ("retired", live(), replace(record(), retired=True), "superseded", "retired"),
]


@pytest.mark.parametrize(
    ("there", "known", "kind", "refusal"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_each_row_of_the_table(there: Live, known: Record, kind: str, refusal: str | None) -> None:
    judged = verdict(there, known)
    assert judged.kind == kind
    assert bool(judged.refusal) == (refusal is not None)
    if refusal:
        assert all(word in judged.refusal + judged.next_command for word in refusal.split("|"))
        assert judged.next_command
        assert not judged.create


def test_a_vault_that_did_not_answer_is_unknown_and_one_without_record_is_new() -> None:
    spec = node_spec()
    assert judge(spec, Unknown("vault1: connection refused"), live()).kind == "unknown"
    judged = judge(spec, ABSENT, live())
    assert judged.kind == "new" and not judged.refusal and set(judged.create) == {"tank"}
    refusal = refuse_bootstrap(judged)
    assert refusal and "enroll=yes" in refusal.next_command
    assert refuse_apply(judged) is not None and refuse_apply(judged, enroll=True) is None


def test_a_new_node_is_not_born_over_somebody_elses_data_or_its_own_older_life() -> None:
    spec = node_spec()
    assert judge(spec, ABSENT, live(pools=(pool(epoch=None),))).kind == "foreign"
    assert judge(spec, ABSENT, live(importable=(on_disks(epoch=1),))).kind == "foreign"
    assert judge(spec, ABSENT, live(pools=(pool(epoch=4),))).kind == "unknown"
    begun = judge(spec, ABSENT, live(pools=(pool(epoch=1),)))
    assert begun.kind == "new" and not begun.refusal and not begun.create


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


def test_one_lost_pool_of_two_is_made_again_and_the_other_is_left() -> None:
    two = {
        "tank": {"vdevs": [{"members": [{"id": "ata-A", "size": "4GB"}]}]},
        "fast": {"vdevs": [{"members": [{"id": "ata-B", "size": "4GB"}]}]},
    }
    known = record(node_spec(pools=two))
    known.pools["fast"] = replace(known.pools["fast"], guid=OTHER)
    judged = judge(node_spec(pools=two), Present(known), live(pools=(pool(),)))
    assert judged.kind == "blank" and set(judged.create) == {"fast"} and judged.epoch == 2
    made = live(pools=(pool(), pool("3", 2, "fast")))
    opened = replace(known, rebuild=rebuild())
    assert judge(node_spec(pools=two), Present(opened), made).kind == "resuming"


def test_a_pool_left_to_the_operator_must_be_there() -> None:
    pools = {"tank": {"managed": False}}
    assert verdict(live(pools=(pool("5", None),)), record(node_spec(pools=pools))).kind == "intact"
    judged = verdict(live(), record(node_spec(pools=pools)))
    assert judged.refusal and not judged.create and "zpool import tank" in judged.next_command


def test_an_unreadable_applied_spec_is_unknown() -> None:
    known = record()
    assert known.applied
    broken = replace(known, applied=replace(known.applied, spec={**known.applied.spec, "name": 5}))
    assert verdict(live(), broken).kind == "unknown"


def test_disks_given_must_name_recorded_ones() -> None:
    assert parse_disks("virtio-a=b=virtio-c", ["virtio-a=b"]) == {"virtio-a=b": "virtio-c"}
    with pytest.raises(ValueError, match="ata-Q=ata-X"):
        parse_disks("ata-Q=ata-X", ["ata-A"])


def test_the_verdict_fits_eighty_columns_except_for_the_line_to_copy() -> None:
    text = render(verdict(live(disks=NEW_DISKS)))
    assert text.startswith("node1: blank\n")
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("  next: "))


SIGNATURES = st.sampled_from(
    [Present(""), Present(""), Present("ext4"), Present("gpt"), Present("zfs_member"), WHY, ABSENT]
)
GUIDS = st.sampled_from([GUID, OTHER, "3", ""])
NAMES = st.sampled_from(["tank", "fast", "other"])
STATES = st.sampled_from(["ONLINE", "DEGRADED", "UNAVAIL", "FAULTED", "SUSPENDED"])
EPOCHS = st.one_of(st.none(), st.integers(1, 4))


@st.composite
def any_disks(draw: st.DrawFn) -> Any:
    found = []
    for letter, name in zip("bcde", ("ata-A", "ata-B", "ata-X", "ata-Y"), strict=True):
        if draw(st.booleans()):
            mounted = draw(st.sampled_from([(), (), ("/",)]))
            size = draw(st.sampled_from([GB, 4 * GB]))
            one = disk(name, f"sd{letter}", size, signature=draw(SIGNATURES), mounted=mounted, uuid=draw(GUIDS))
            found.append(one)
            if draw(st.booleans()):
                part = disk(
                    f"{name}-part1", f"sd{letter}1", parent=one.path, signature=draw(SIGNATURES), uuid=draw(GUIDS)
                )
                found.append(part)
    return draw(st.sampled_from([tuple(found), tuple(found), tuple(found), WHY, ABSENT]))


@st.composite
def any_live(draw: st.DrawFn) -> Live:
    pools = tuple(pool(draw(GUIDS), draw(EPOCHS), draw(NAMES), draw(STATES)) for _ in range(draw(st.integers(0, 2))))
    listed = tuple(
        on_disks(draw(GUIDS), draw(EPOCHS), draw(NAMES), draw(STATES)) for _ in range(draw(st.integers(0, 2)))
    )
    zfs = draw(st.sampled_from([None, None, ABSENT, WHY]))
    unread = [draw(st.sampled_from([value, value, WHY])) for value in (pools, listed)]
    return live(disks=draw(any_disks()), pools=unread[0], importable=unread[1], zfs=zfs)


@st.composite
def any_record(draw: st.DrawFn) -> Any:
    opened = rebuild(draw(st.integers(1, 4)), draw(st.sampled_from([{}, {"tank": OTHER}, {"tank": "3"}])))
    known = record(epoch=draw(st.integers(1, 3)), rebuild=draw(st.sampled_from([None, opened])))
    return draw(st.sampled_from([Present(known), Present(known), Present(known), ABSENT, WHY]))


@given(any_live(), any_record(), st.sampled_from([None, {"ata-A": "ata-X"}, {"ata-B": "ata-A"}]), st.booleans())
def test_nothing_is_ever_created_except_on_proven_blank_members_of_a_node_the_vault_spoke_of(
    there: Live, known: Any, disks: Any, any_blank: bool
) -> None:
    spec = node_spec(replacement="any-blank" if any_blank else "ask")
    judged = judge(spec, known, there, disks)
    assert bool(judged.refusal) == bool(judged.next_command)
    if judged.kind in ("foreign", "superseded", "unknown"):
        assert judged.refusal
    if judged.refusal:
        assert not judged.create
        assert refuse_bootstrap(judged) and refuse_apply(judged, enroll=True)
    if isinstance(known, Unknown):
        assert judged.kind == "unknown"
    if judged.create:
        assert isinstance(there.disks, Present)
        for member in members(judged.create["tank"]):
            chosen = by_id(there.disks.value)[member.id]
            assert occupied(chosen, there.disks.value) is None and chosen.size >= 4 * GB
        assert isinstance(known, Present) or (known == ABSENT and judged.kind == "new")
        assert all(pool.guid != GUID or judged.kind == "new" for pool in _pools(there))
    if refuse_bootstrap(judged) is None:
        assert isinstance(known, Present)
    for guid in judged.imports.values():
        assert isinstance(known, Present)
        journalled = known.value.rebuild.pools.values() if known.value.rebuild else ()
        assert guid in (GUID, *journalled) or judged.kind == "resuming"


def _pools(there: Live) -> list[Any]:
    if not isinstance(there.zfs, Present) or not isinstance(there.pools, Present):
        return []
    return [pool for pool in there.pools.value.values() if pool.name == "tank"]


def test_a_recorded_dataset_that_the_pool_lacks_is_lost_and_only_a_restore_may_make_it() -> None:
    known = record()
    known.datasets["tank/data/fresh"] = DatasetRecord()
    judged = judge_datasets(known, live(pools=(pool(),), datasets=(dataset("tank"), dataset("tank/data/crm"))))
    assert {name: found.kind for name, found in judged.items()} == {
        "tank/data/crm": "there",
        "tank/data/db": "lost",
        "tank/lxc/db": "lost",
        "tank/data/fresh": "unsaved",
    }
    assert judged["tank/data/db"].next_command == "blackstart restore node1/tank/data/db"
    assert {found.dataset for found in lost(known, live())} == {"tank/data/crm", "tank/data/db", "tank/lxc/db"}
    assert {found.kind for found in judge_datasets(known, live(datasets=WHY)).values()} == {"unknown"}


def test_a_pool_of_another_node_with_a_long_name_is_never_taken_for_ours() -> None:
    ours, theirs = "customers-database-host-1", "customers-database-host-2"
    for epoch in (1, 12):
        comment = pool_comment(epoch, theirs)
        assert len(comment) <= 32 and claimed_epoch(comment, theirs) == epoch and claimed_epoch(comment, ours) is None
    spec = node_spec()
    known = replace(record(rebuild=rebuild()), node=ours)
    stranger = replace(on_disks("5"), comment=pool_comment(2, theirs))
    judged = judge(replace_name(spec, ours), Present(known), live(importable=(stranger,)))
    assert judged.kind == "foreign" and not judged.imports


def replace_name(spec: NodeSpec, name: str) -> NodeSpec:
    return spec.model_copy(update={"name": name})
