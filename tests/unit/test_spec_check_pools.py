"""Pools that zpool would refuse, and disks that would be used twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import CRM, NODE, db, mistakes, node, notes, problems, swap, write


@mistakes(
    (
        {NODE: swap("nodes/node1.toml", '  { id = "disk-B", size = "4TB" },\n', "")},
        "nodes/node1.toml:4: pools.tank.vdevs[1]: a mirror of 1 member(s), it takes at least 2; "
        'one disk alone is type = "disk"',
    ),
    (
        {NODE: swap("nodes/node1.toml", "disk-B", "disk-A")},
        "nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: the disk disk-A is taken by "
        "nodes/node1.toml (pools.tank.vdevs[1].members[1].id) already",
    ),
    (
        {NODE: swap("nodes/node1.toml", "disk-B", "disk-A-part1")},
        "nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: disk-A-part1 is a part of a disk that "
        "nodes/node1.toml (pools.tank.vdevs[1].members[1].id) takes whole",
    ),
    (
        node('[[pools.mirrored.vdevs]]\ntype = "disk"\nmembers = [{ id = "m", size = "1TB" }]\n')
        | {CRM: swap("containers/crm.toml", "ip", 'pool = "tank"\nip')}
        | db('pool = "tank"\n'),
        "nodes/node1.toml:12: pools.mirrored: the pool name 'mirrored' is reserved by zpool "
        "(mirror…, raidz…, draid…, spare…, log, c0…)",
    ),
    (
        node('[[pools.tank.vdevs]]\nrole = "spare"\nmembers = [{ id = "s", size = "4TB" }]\n'),
        'nodes/node1.toml:12: pools.tank.vdevs[2]: a spare has no redundancy of its own: write type = "disk"',
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


@pytest.mark.parametrize(("size", "count"), [("5.9TB", 0), ("8TB", 1)])
def test_a_mirror_of_very_different_members_is_a_warning(tmp_path: Path, size: str, count: int) -> None:
    found = notes(
        write(tmp_path, **{NODE: swap("nodes/node1.toml", '"disk-B", size = "4TB"', f'"B", size = "{size}"')})
    )
    said = "its members are of 4TB and 8TB; of each of them only 4TB will be used"
    assert found == [f"nodes/node1.toml:6: pools.tank.vdevs[1].members: {said}"] * count
