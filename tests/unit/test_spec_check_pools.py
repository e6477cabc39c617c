"""Pools that zpool would refuse, and disks that would be used twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spec_fleet import CRM, NODE, db, mistakes, node, notes, problems, swap, write

from blackstart.spec.check_pools import capacity
from blackstart.spec.node import Pool


@mistakes(
    *(
        (
            {NODE: swap("nodes/node1.toml", "disk-B", name)},
            f"nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: found '{name}', a name that changes from start to "
            "start; expected one of /dev/disk/by-id, like 'ata-MODEL_SERIAL' (see `ls -l /dev/disk/by-id`)",
        )
        for name in ("sda", "sdb1", "vdaa", "nvme0n1", "nvme0n1p2", "dm-0")
    ),
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
    (
        node('[[pools.tank.vdevs]]\nrole = "log"\ntype = "raidz1"\nmembers = [{ id = "s", size = "4TB" }]\n'),
        'nodes/node1.toml:12: pools.tank.vdevs[2]: a log is a mirror or a disk: write type = "mirror"',
    ),
    (
        {NODE: swap("nodes/node1.toml", 'type = "mirror"', 'role = "log"')},
        "nodes/node1.toml:4: pools.tank: has no vdev for data; describe one in [[pools.NAME.vdevs]], "
        "or say `managed = false`",
    ),
    *(
        (
            {NODE: swap("nodes/node1.toml", "mirror", kind).replace('"disk-B", size = "4TB" },', more)}
            | {CRM: swap("containers/crm.toml", 'quota = "200GiB"\n', "")},
            f"nodes/node1.toml:4: pools.tank.vdevs[1]: a {kind} of {have} member(s), it takes at least {have + 1}",
        )
        for kind, have, more in (
            ("raidz2", 2, '"B", size = "4TB" },'),
            ("raidz3", 3, '"B", size = "4TB" }, { id = "C", size = "4TB" },'),
        )
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


MIXED = "zpool makes such a pool by force alone, so it could not be rebuilt; give both the same redundancy, "
MIXED += "or make the pool yourself and say `managed = false`"


@pytest.mark.parametrize(
    ("vdevs", "said"),
    [
        ((("mirror", 2), ("disk", 1)), "a disk beside a mirror of 2"),
        ((("mirror", 2), ("mirror", 3)), "a mirror of 3 beside a mirror of 2"),
        ((("raidz1", 3), ("raidz2", 3)), "a raidz2 of 3 beside a raidz1 of 3"),
        ((("raidz2", 4), ("mirror", 2)), "a mirror of 2 beside a raidz2 of 4"),
        ((("mirror", 2), ("disk", 1, "special")), "a disk beside a mirror of 2"),
        ((("mirror", 2), ("mirror", 2)), ""),
        ((("disk", 1), ("disk", 3)), ""),
        ((("raidz1", 3), ("raidz1", 4)), ""),
        ((("raidz1", 3), ("mirror", 2), ("raidz1", 4)), ""),
        ((("raidz1", 3), ("mirror", 2, "special")), ""),
        ((("raidz2", 4), ("mirror", 3, "special")), ""),
        ((("mirror", 2), ("disk", 1, "log"), ("disk", 2, "cache"), ("disk", 1, "spare")), ""),
    ],
)
def test_a_pool_that_takes_force_is_a_mistake(tmp_path: Path, vdevs: tuple[tuple[Any, ...], ...], said: str) -> None:
    """Each as `zpool create -n` of OpenZFS 2.3.9 took or refused it."""
    text = ""
    for at, (kind, count, *role) in enumerate(vdevs):
        members = ", ".join(f'{{ id = "x{at}-{each}", size = "1TB" }}' for each in range(count))
        text += f'[[pools.more.vdevs]]\ntype = "{kind}"\nrole = "{(*role, "data")[0]}"\nmembers = [{members}]\n'
    found = problems(write(tmp_path, **node(text), containers__crm=None, containers__db=None))
    assert [each.partition("vdevs[2]: ")[2] for each in found] == ([f"{said}: {MIXED}"] if said else [])
    text += "[pools.more]\nmanaged = false\n"
    assert problems(write(tmp_path / "own", **node(text), containers__crm=None, containers__db=None)) == []


def test_the_least_of_each_kind_is_enough_and_a_pool_of_ones_own_is_not_described(tmp_path: Path) -> None:
    for name, kind, count in (("a", "disk", 1), ("b", "raidz1", 2), ("c", "raidz2", 3), ("d", "raidz3", 4)):
        members = ", ".join(f'{{ id = "{name}{at}", size = "1TB" }}' for at in range(count))
        text = f'[[pools.{name}.vdevs]]\ntype = "{kind}"\nmembers = [{members}]\n[pools.own]\nmanaged = false\n'
        root = write(tmp_path / name, **node(text), containers__crm=None, containers__db=None)
        assert problems(root) == []


@pytest.mark.parametrize(
    ("vdevs", "expected"),
    [
        ((("disk", 3, 5),), 8),
        ((("mirror", 3, 5),), 3),
        ((("raidz1", 4, 5, 6),), 8),
        ((("raidz2", 4, 5, 6),), 4),
        ((("raidz3", 4, 5, 6, 7),), 4),
        ((("mirror", 3, 5), ("mirror", 7, 7)), 10),
        ((("raidz3", 4),), 0),
        ((), None),
    ],
)
def test_what_a_pool_offers(vdevs: tuple[tuple[Any, ...], ...], expected: int | None) -> None:
    log = {"role": "log", "members": [{"id": "l", "size": "9B"}]}
    shapes = [
        {"type": kind, "members": [{"id": f"x{at}", "size": f"{size}B"} for at, size in enumerate(sizes)]}
        for kind, *sizes in vdevs
    ]
    assert capacity(Pool.model_validate({"vdevs": [*shapes, log]})) == expected


@pytest.mark.parametrize(("size", "count"), [("5.9TB", 0), ("8TB", 1)])
def test_a_mirror_of_very_different_members_is_a_warning(tmp_path: Path, size: str, count: int) -> None:
    found = notes(
        write(tmp_path, **{NODE: swap("nodes/node1.toml", '"disk-B", size = "4TB"', f'"B", size = "{size}"')})
    )
    said = "its members are of 4TB and 8TB; of each only 4TB is used, and a rebuild takes equal ones"
    assert found == [f"nodes/node1.toml:6: pools.tank.vdevs[1].members: {said}"] * count
