"""Pools, datasets, images, root file systems: what is made, what is set, and what is only said."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

import pytest
from converge_world import dataset as live_dataset
from converge_world import node1, put, satisfied, wishes, with_container, without
from converge_world import pool as live_pool

from blackstart.change import Change
from blackstart.converge import dataset, exchange, image, pool, rootfs
from blackstart.converge.everything import wanted
from blackstart.converge.wanted import Wanted
from blackstart.live.model import DatasetLive, DiskLive, Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.spec.node import Vdev

WANT = wishes()
LIVE = satisfied(WANT)
NOTES = "tank/data/notes"
LEDGER = "tank/data/ledger"


def changed(name: str, **properties: str) -> list[Change]:
    return dataset.diff(WANT, put(LIVE, "datasets", **{name: live_dataset(WANT, name, **properties)}))


def test_a_missing_dataset_is_made_with_its_properties() -> None:
    changes = dataset.diff(WANT, without(LIVE, "datasets", NOTES))
    assert dataset.command(changes, WANT) == (
        "zfs create -o mountpoint=/var/lib/blackstart/mounts/tank/data/notes -o quota=500000000 "
        "-o recordsize=16384 tank/data/notes"
    )


def test_the_key_of_an_encrypted_dataset_is_no_word_of_the_command() -> None:
    changes = dataset.diff(WANT, without(LIVE, "datasets", LEDGER))
    assert dataset.needs_key(changes, WANT)
    command = dataset.command(changes, WANT)
    assert command.startswith("base64 -d | zfs create ")
    assert "keylocation=prompt" in command and "keyformat=hex" in command


def test_sizes_are_compared_as_bytes_and_set_by_difference() -> None:
    (change,) = changed(NOTES, quota="100")
    assert dataset.command([change], WANT) == "zfs set quota=500000000 tank/data/notes"


def test_a_received_value_is_not_ours_even_when_equal() -> None:
    there = live_dataset(WANT, NOTES)
    there.properties["quota"] = ("500000000", "received")
    (change,) = dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there}))
    assert dataset.command([change], WANT) == "zfs set quota=500000000 tank/data/notes"


def test_an_inherited_value_that_is_equal_is_no_difference() -> None:
    there = live_dataset(WANT, NOTES)
    there.properties["recordsize"] = ("16384", "inherited from tank")
    assert dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there})) == []


def test_no_quota_has_two_spellings() -> None:
    item = WANT.datasets[NOTES].model_copy(update={"properties": WANT.datasets[NOTES].properties | {"quota": "none"}})
    want = replace(WANT, datasets=WANT.datasets | {NOTES: item})
    assert dataset.diff(want, put(LIVE, "datasets", **{NOTES: live_dataset(WANT, NOTES, quota="0")})) == []


@pytest.mark.parametrize("name", sorted(dataset.ONE_TIME - {"encryption", "keyformat"}))
def test_what_zfs_takes_only_at_creation_is_reported_later(name: str) -> None:
    item = WANT.datasets[NOTES].model_copy(update={"properties": WANT.datasets[NOTES].properties | {name: "on"}})
    want = replace(WANT, datasets=WANT.datasets | {NOTES: item})
    there = live_dataset(WANT, NOTES, **{name: "off"})
    (change,) = dataset.diff(want, put(LIVE, "datasets", **{NOTES: there}))
    assert change.action == "report"
    assert dataset.by_dataset([change]) == []


def test_a_plain_dataset_that_should_be_encrypted_is_reported() -> None:
    (change,) = changed(LEDGER, encryption="off")
    assert (change.field, change.action) == ("encryption", "report")


def test_a_dataset_whose_key_is_not_loaded_gets_it_and_is_mounted() -> None:
    changes = changed(LEDGER, keystatus="unavailable", mounted="no")
    (group,) = dataset.by_dataset(changes)
    assert dataset.needs_key(group, WANT)
    command = dataset.command(group, WANT)
    assert command.startswith("base64 -d | zfs load-key tank/data/ledger && ")
    assert command.endswith("then zfs mount tank/data/ledger; fi")


def test_a_property_that_was_not_read_is_unknown() -> None:
    there = live_dataset(WANT, NOTES)
    del there.properties["quota"]
    (change,) = dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there}))
    assert change.action == "unknown"


def test_parents_come_before_children() -> None:
    changes = dataset.diff(WANT, replace(LIVE, datasets=ABSENT))
    names = [group[0].name for group in dataset.by_dataset(changes)]
    assert names == ["tank/data", LEDGER, NOTES, "tank/images", "tank/lxc"]


def test_a_dataset_of_ours_that_nobody_wants_is_said_and_one_of_others_is_not() -> None:
    extra = {name: DatasetLive(name, "1", "filesystem") for name in ("tank/data/old", "tank/home", "tank/.restore/x")}
    assert [(c.name, c.action) for c in dataset.diff(WANT, put(LIVE, "datasets", **extra))] == [
        ("tank/data/old", "unmanaged")
    ]


# Pools


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


# Images and root file systems

IMAGE = next(iter(WANT.images))


def test_an_image_without_its_snapshot_is_filled_again() -> None:
    (change,) = image.diff(WANT, without(LIVE, "snapshots", IMAGE))
    assert change.live == "unfinished"
    lines = image.fill_command(IMAGE, WANT.images[IMAGE], WANT).splitlines()
    guard = next(i for i, line in enumerate(lines) if line.startswith('[ "$(findmnt'))
    empty = next(i for i, line in enumerate(lines) if line.startswith("find "))
    snapshot = next(i for i, line in enumerate(lines) if line.startswith("zfs snapshot"))
    assert guard < empty < snapshot


def test_snapshots_that_cannot_be_listed_leave_an_image_as_it_is() -> None:
    tools = f"""sha256sum() {{ :; }}; findmnt() {{ echo {IMAGE}; }}; find() {{ echo emptied; }}
zfs() {{ case "$*" in *snapshot*) echo broken >&2; return 1 ;; *mounted*) echo yes ;; esac; }}
"""
    command = tools + image.fill_command(IMAGE, WANT.images[IMAGE], WANT)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "emptied" not in done.stdout


def test_a_clone_is_one_command_and_an_own_root_gets_its_name_last() -> None:
    made = {change.name for change in rootfs.diff(WANT, without(LIVE, "datasets", "tank/lxc/notes", "tank/lxc/files"))}
    assert made == {"tank/lxc/notes", "tank/lxc/files"}
    clone = rootfs.command(WANT.containers["notes"], WANT)
    assert clone == f"zfs clone -o mountpoint=/var/lib/lxc/notes/rootfs {IMAGE}@image tank/lxc/notes"
    lines = rootfs.command(WANT.containers["files"], WANT).splitlines()
    rename = lines.index("zfs rename tank/lxc/files.filling tank/lxc/files")
    assert any(line.startswith("cp -a") for line in lines[:rename])


OLD = "tank/images/debian-13-0ld0ld0ld0ld@image"


def cloned_from(origin: str, wanted: Wanted = WANT) -> Live:
    return put(LIVE, "datasets", **{"tank/lxc/notes": live_dataset(wanted, "tank/lxc/notes", origin=origin)})


def test_a_clone_of_another_image_is_put_aside_and_cloned_anew() -> None:
    live = cloned_from(OLD)
    (change,) = rootfs.diff(WANT, live)
    assert (change.field, change.action) == ("image", "update")
    stop, aside, clone = exchange.commands(change, WANT, live, 1795313113)
    assert "systemctl stop lxc@notes.service" in stop.splitlines() and "disable" not in stop
    assert aside.splitlines()[-1] == "zfs rename tank/lxc/notes tank/retired/notes-2026-11-22/lxc-notes"
    assert "zfs set mountpoint=none tank/lxc/notes" in aside.splitlines()
    assert clone == rootfs.command(WANT.containers["notes"], WANT)
    # Killed before the clone, the next run makes it as for a new container.
    (change,) = rootfs.diff(WANT, without(live, "datasets", "tank/lxc/notes"))
    assert change.action == "create"


@pytest.mark.parametrize("origin", ["-", "tank/data/mine@image", "tank/images/debian-13-0ld@before"])
def test_a_root_that_is_no_clone_of_our_images_is_reported_not_replaced(origin: str) -> None:
    (change,) = rootfs.diff(WANT, cloned_from(origin))
    assert (change.field, change.action) == ("image", "report")


def test_a_running_container_that_only_a_person_starts_is_not_stopped_for_its_image() -> None:
    spec, context = node1()
    want = wanted(with_container(spec, "notes", autostart=False), context)
    live = cloned_from(OLD, want)
    assert [change.action for change in rootfs.diff(want, live)] == ["report"]
    assert [change.action for change in rootfs.diff(want, without(live, "containers", "notes"))] == ["update"]


def test_a_root_is_not_exchanged_when_the_containers_could_not_be_read() -> None:
    live = replace(cloned_from(OLD), containers=Unknown("not run as root"))
    assert {change.action for change in rootfs.diff(WANT, live)} == {"unknown"}


def test_no_command_of_any_resource_destroys() -> None:
    commands = [
        pool.create_command("tank", TANK),
        image.fill_command(IMAGE, WANT.images[IMAGE], WANT),
        *(rootfs.command(each, WANT) for each in WANT.containers.values()),
        *(
            dataset.command(group, WANT)
            for group in dataset.by_dataset(dataset.diff(WANT, replace(LIVE, datasets=ABSENT)))
        ),
    ]
    assert not [line for line in commands if "destroy" in line or "rollback" in line or " -f " in line.split("tar")[0]]
