"""--data disks= speaks about pools that are to be made; what is left of it on the command line says nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rebuild_world import GUID, OS_DISK, OTHER, disk, live, node_spec, on_disks, pool, rebuild, record

from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.restore.told import members_of
from blackstart.verdict import judge

GIVEN = {"ata-A": "ata-X", "ata-B": "ata-Y"}
TWO = {
    "tank": {"vdevs": [{"members": [{"id": "ata-A", "size": "4GB"}]}]},
    "fast": {"vdevs": [{"members": [{"id": "ata-B", "size": "4GB"}]}]},
}


@pytest.mark.parametrize("found", [live(pools=(pool(),)), live(importable=(on_disks(),))])
def test_a_leftover_says_nothing_about_a_pool_that_is_there(found: Live) -> None:
    judged = judge(node_spec(), Present(record()), found, GIVEN)
    assert judged.kind in ("intact", "importable") and judged.disks == {}


def test_what_the_open_rebuild_was_given_stays_beside_what_is_given_for_the_rest() -> None:
    spec = node_spec(pools=TWO)
    known = record(spec, rebuild=rebuild(2, {"tank": OTHER}, {"ata-A": "ata-X"}))
    known = replace(known, pools=known.pools | {"fast": replace(known.pools["fast"], guid="33")})
    found = live(pools=(pool(OTHER, 2),), disks=(*OS_DISK, disk("ata-Y", "sdc")))
    judged = judge(spec, Present(known), found, {"ata-B": "ata-Y", "ata-A": "ata-Q"})
    assert not judged.refusal and set(judged.create) == {"fast"}
    assert judged.disks == {"ata-A": "ata-X", "ata-B": "ata-Y"}


def test_the_record_takes_replacements_for_a_pool_that_it_does_not_know_yet() -> None:
    assert members_of("tank", GUID, node_spec(), None, GIVEN) == ["ata-X", "ata-Y"]
    assert members_of("tank", OTHER, node_spec(), record(), GIVEN) == ["ata-X", "ata-Y"]


def test_a_leftover_never_changes_the_members_of_a_recorded_pool() -> None:
    assert members_of("tank", GUID, node_spec(), record(), GIVEN) == ["ata-A", "ata-B"]
    enrolled = record()
    enrolled = replace(enrolled, pools={"tank": replace(enrolled.pools["tank"], members=("ata-X", "ata-Y"))})
    assert members_of("tank", GUID, node_spec(), enrolled, {}) == ["ata-X", "ata-Y"]
    assert members_of("tank", GUID, node_spec(pools={"tank": TWO["tank"]}), enrolled, {}) == ["ata-A"]
