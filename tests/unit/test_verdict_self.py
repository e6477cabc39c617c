"""The only vault keeps its record on its own pool: its system was lost, and nobody can read that record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rebuild_world import GUID, OS_DISK, disk, live, node_spec, on_disks, pool

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.verdict_self import judged

SPEC = node_spec(vault={"pool": "tank"}).model_copy(update={"vaults": {}})
SILENT = Unknown("pool tank of the vault: no such pool")
NO_TOOLS = Unknown("no ZFS tools on this host")
PART = disk("ata-A-part1", "sdb1", parent="/dev/sdb", signature=Present("zfs_member"), uuid=GUID, label="tank")
HELD = (*OS_DISK, disk("ata-A", "sdb", signature=Present("gpt")), PART, disk("ata-B", "sdc"))


def test_its_own_pool_is_imported_by_what_it_says_of_itself() -> None:
    found = judged(SPEC, ["node1"], SILENT, live(importable=(on_disks(epoch=3),)))
    assert (found.kind, found.imports, found.epoch, found.refusal) == ("importable", {"tank": GUID}, 3, "")
    assert judged(SPEC, ["node1"], SILENT, live(pools=(pool(),))).kind == "unknown"  # there, and still no record
    assert judged(SPEC, ["node1", "vault2"], SILENT, live(importable=(on_disks(),))).kind == "unknown"


def test_without_the_tools_nobody_says_that_it_is_somebody_elses() -> None:
    blind = live(disks=HELD, zfs=ABSENT, pools=NO_TOOLS, importable=NO_TOOLS, datasets=NO_TOOLS)
    found = judged(SPEC, ["node1"], SILENT, blind)
    assert found.kind == "unknown" and "/dev/sdb1 carries a pool tank" in found.refusal
    assert "apt-get install -y zfsutils-linux" in found.next_command


@pytest.mark.parametrize("label", ["photos", ""])
def test_any_other_pool_is_in_the_way(label: str) -> None:
    other = tuple(replace(each, label=label) if each == PART else each for each in HELD)
    blind = live(disks=other, zfs=ABSENT, pools=NO_TOOLS, importable=NO_TOOLS, datasets=NO_TOOLS)
    assert judged(SPEC, ["node1"], SILENT, blind).kind == "foreign"
