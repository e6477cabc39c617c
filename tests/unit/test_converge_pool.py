"""Pools: made by id on blank members alone; their comment, and what is only said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from converge_world import pool as live_pool
from converge_world import put, satisfied, wishes

from blackstart.converge import pool
from blackstart.live.model import DiskLive, Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.spec.node import Vdev

WANT = wishes()
LIVE = satisfied(WANT)


def disk(identity: str, signature: str = "", **more: Any) -> DiskLive:
    plain = DiskLive(f"/dev/{identity[-4:]}", (identity,), 4_000_000_000, None, "", Present(signature))
    return replace(plain, **more)


def on(*disks: DiskLive) -> Live:
    return replace(LIVE, disks=Present(disks), pools=ABSENT)


BLANK = (disk("virtio-N1A0001"), disk("virtio-N1B0001"))
TANK = WANT.pools["tank"]


def test_a_pool_is_made_by_id_and_never_by_force() -> None:
    command = pool.create_command("tank", TANK)
    assert command == (
        "zpool create -o ashift=12 -o 'comment=blackstart e1 node1' -o cachefile=/etc/zfs/zpool.cache "
        "-O acltype=posixacl -O canmount=off -O compression=lz4 -O mountpoint=none -O xattr=sa tank "
        "mirror /dev/disk/by-id/virtio-N1A0001 /dev/disk/by-id/virtio-N1B0001"
    )
    assert " -f" not in command


def test_roles_and_replacements_are_spelled_as_zpool_wants_them() -> None:
    def vdev(kind: str, role: str, *ids: str) -> Vdev:
        return Vdev.model_validate(
            {"type": kind, "role": role, "members": [{"id": each, "size": "1GB"} for each in ids]}
        )

    vdevs = (
        vdev("mirror", "log", "l1", "l2"),
        vdev("raidz1", "data", "a", "b", "c"),
        vdev("disk", "spare", "s"),
        vdev("disk", "cache", "k1"),
        vdev("disk", "cache", "k2"),
    )
    words = [word.removeprefix("/dev/disk/by-id/") for word in pool.layout(vdevs, {"a": "z"})]
    assert words == ["raidz1", "z", "b", "c", "log", "mirror", "l1", "l2", "cache", "k1", "k2", "spare", "s"]


def test_blank_members_are_accepted() -> None:
    assert pool.refusal("tank", TANK, on(*BLANK)) is None
    assert pool.refusal("tank", TANK, on(BLANK[0], disk("new")), {"virtio-N1B0001": "new"}) is None


@pytest.mark.parametrize(
    ("disks", "said"),
    [
        ((BLANK[0],), "there is no disk virtio-N1B0001"),
        ((BLANK[0], disk("virtio-N1B0001", "zfs_member", label="old")), "carries zfs_member old"),
        ((BLANK[0], disk("virtio-N1B0001", "ext4")), "carries ext4"),
        ((BLANK[0], disk("virtio-N1B0001", size=1000)), "1000 bytes, the spec wants at least 3900000000"),
        ((BLANK[0], disk("virtio-N1B0001", mounted=("/mnt",))), "is mounted at /mnt"),
        ((BLANK[0], replace(BLANK[1], signature=Unknown("no permission"))), "could not be read"),
        ((*BLANK, disk("part", path="/dev/x1", parent="/dev/0001")), "is not blank"),
    ],
)
def test_anything_else_than_blank_is_refused(disks: tuple[DiskLive, ...], said: str) -> None:
    assert said in (pool.refusal("tank", TANK, on(*disks)) or "")


def test_disks_that_could_not_be_read_are_not_blank() -> None:
    assert "could not be read" in (pool.refusal("tank", TANK, replace(LIVE, disks=Unknown("x"))) or "")
    assert "could not be read" in (pool.refusal("tank", TANK, replace(on(*BLANK), importable=Unknown("x"))) or "")


@pytest.mark.parametrize(
    ("comment", "epoch", "action"),
    [
        ("", 3, "update"),
        ("-", 3, "update"),
        ("", None, "report"),  # an epoch that is not known is never taken for the first
        ("blackstart e1 node1", None, None),
        ("blackstart e3 node1", 3, None),
        ("blackstart e1 node1", 3, "report"),
        ("blackstart e1 node", 1, "report"),
        ("backup of Bob", 1, "report"),
    ],
)
def test_only_an_empty_comment_is_written_and_only_with_the_known_epoch(
    comment: str, epoch: int | None, action: str | None
) -> None:
    want = replace(WANT, pools={"tank": replace(TANK, epoch=epoch)})
    changes = pool.diff(want, put(LIVE, "pools", tank=live_pool("tank", "node1", comment)))
    assert [change.action for change in changes] == ([action] if action else [])
    if action == "update":
        assert pool.commands(changes) == ["zpool set 'comment=blackstart e3 node1' tank"]


def test_another_epoch_is_reported() -> None:
    want = replace(WANT, pools={"tank": replace(TANK, epoch=2)})
    assert [(c.field, c.action) for c in pool.diff(want, LIVE)] == [("comment", "report")]


def test_replacements_are_read_from_the_command_line() -> None:
    assert pool.replacements("a=b, c=d") == {"a": "b", "c": "d"}
    assert pool.replacements("") == {}
    with pytest.raises(ValueError, match="OLD=NEW"):
        pool.replacements("a")
