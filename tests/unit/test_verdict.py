"""Every row of the verdict table, and the pools and datasets behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
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
from blackstart.verdict_guard import refuse_apply, refuse_bootstrap
from blackstart.verdict_pools import claimed_epoch

WHY = Unknown("permission refused")
MEMBER = Present("zfs_member")
OLD_POOL = (*OS_DISK, disk("ata-A", "sdb", signature=Present("gpt")), disk("ata-B", "sdc"))
PART = disk("ata-A-part1", "sdb1", parent="/dev/sdb", signature=MEMBER, uuid=GUID, label="tank")


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
    (
        "member has a file system",
        with_a(signature=Present("ext4")),
        record(),
        "foreign",
        "disk ata-A: /dev/sdb carries ext4",
    ),
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
    (
        "other disks",
        live(disks=(*OS_DISK, disk("ata-X", "sdb"), disk("ata-Y", "sdc"))),
        record(),
        "blank",
        "ata-A is not there",
    ),
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


def test_what_waits_for_the_operators_pool_makes_and_imports_nothing() -> None:
    """Also where the node's own could be made, or imported, at once."""
    own = node_spec().node.pools["tank"].model_dump(mode="json")
    known = record(node_spec(pools={"tank": own, "bulk": {"managed": False}}))
    for there in (live(), live(importable=(on_disks(),))):
        judged = verdict(there, known)
        assert judged.refusal and not judged.create and not judged.imports


def test_what_has_no_disks_for_a_lost_pool_does_not_import_the_other_one() -> None:
    lost = {"vdevs": [{"type": "disk", "members": [{"id": "ata-Q", "size": "4GB"}]}]}
    known = record(node_spec(pools={"tank": node_spec().node.pools["tank"].model_dump(mode="json"), "bulk": lost}))
    known.pools["bulk"] = replace(known.pools["bulk"], guid=OTHER)
    judged = verdict(live(importable=(on_disks(),)), known)
    assert judged.kind == "blank" and "ata-Q is not there" in judged.refusal and not judged.imports


def test_an_unreadable_applied_spec_is_unknown() -> None:
    known = record()
    assert known.applied
    broken = replace(known, applied=replace(known.applied, spec={**known.applied.spec, "name": 5}))
    assert verdict(live(), broken).kind == "unknown"


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
