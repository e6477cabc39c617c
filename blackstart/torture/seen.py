"""What a reading of the simulated machine and of its vaults holds: as the real ones are shaped. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from blackstart.live.model import DatasetLive, DiskLive, ImportableLive, Live, PoolLive, SnapshotLive, ZfsLive
from blackstart.live.script import unknown as no_reading
from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.torture.shape import TB
from blackstart.torture.world import NOW, POOL, Disk, Snapshot, Vault, World
from blackstart.vault.record import Record
from blackstart.vault.records import Replica, ReplicaSnapshot, VaultReading
from blackstart.vault.records import unknown as no_answer

WHY = Unknown("permission denied")
NO_TOOLS = Unknown("no ZFS tools on this host")


def node(world: World) -> Live:
    """The machine as it is now; `world.unreadable()` parts of it failed."""
    parts: dict[str, Reading[Any]] = {"disks": Present(tuple(_disks(world))), "zfs": ABSENT}
    parts |= dict.fromkeys(("pools", "importable", "datasets", "snapshots"), NO_TOOLS)
    if world.tools:
        parts |= {"zfs": Present(ZfsLive("2.3.9-1", "2.3.9-1"))} | _zfs(world)
    parts |= dict.fromkeys(world.unreadable(), WHY)
    return replace(no_reading("not asked for"), **parts)


def _zfs(world: World) -> dict[str, Reading[Any]]:
    pools, datasets, snapshots, importable = {}, {}, {}, []
    for pool in world.on_disks():
        state = world.state(pool)
        if pool.guid not in world.imported:
            said = "" if pool.comment == "-" else pool.comment  # `zpool import` leaves the line out
            importable.append(ImportableLive(pool.name, pool.guid, state, said))
            continue
        state = "SUSPENDED" if state == "UNAVAIL" else state
        pools[pool.name] = PoolLive(pool.name, pool.guid, state, pool.comment, TB, TB, False)
        for name in (pool.name, *pool.datasets):
            datasets[name] = DatasetLive(name, "77", "filesystem")
        for name, dataset in pool.datasets.items():
            snapshots[name] = tuple(SnapshotLive(name, s.name, s.guid, 1, s.creation, 0) for s in dataset.snapshots)
    return {
        "pools": Present(pools),
        "importable": Present(tuple(importable)),
        "datasets": Present(datasets),
        "snapshots": Present(snapshots),
    }


def _disks(world: World) -> list[DiskLive]:
    """The system's own disk first, then each as `blkid -p` shows it."""
    root = "/dev/sda"
    found = [
        DiskLive(root, ("ata-OS",), TB, None, "OS", Present("gpt")),
        DiskLive(f"{root}1", ("ata-OS-part1",), TB, root, "", Present("ext4"), mounted=("/",)),
    ]
    for number, disk in enumerate(world.disks.values()):
        found += _disk(world, disk, f"/dev/sd{chr(ord('b') + number)}")
    return found


def _disk(world: World, disk: Disk, path: str) -> list[DiskLive]:
    whole = disk.id.removesuffix("-part3")
    pool = world.pools.get(disk.holds.removeprefix(POOL))
    about: dict[str, Any] = {"signature": Present(disk.holds)}
    if pool:
        about = {"signature": Present("zfs_member"), "uuid": pool.guid, "label": pool.name}
    if not disk.readable:
        about = {"signature": WHY}
    if disk.part:
        outer = DiskLive(path, (whole,), disk.size + TB // 10, None, whole, Present("gpt"))
        return [outer, DiskLive(f"{path}3", (disk.id,), disk.size, path, "", **about)]
    if not pool or not disk.readable:
        return [DiskLive(path, (whole,), disk.size, None, whole, **about)]
    # A whole disk given to ZFS carries a partition table of its making.
    return [
        DiskLive(path, (whole,), disk.size, None, whole, Present("gpt")),
        DiskLive(f"{path}1", (f"{whole}-part1",), disk.size, path, "", **about),
        DiskLive(f"{path}9", (f"{whole}-part9",), 8 << 20, path, "", Present("")),
    ]


def vault(world: World, of: Vault) -> VaultReading:
    """What one vault answers."""
    if of.says:
        return no_answer(of.says)
    record: dict[str, Reading[Record]] = {world.name: Present(of.record)} if of.record else {}
    if of.torn:
        record = {world.name: Unknown("not a record")}
    encrypted = {name for name, each in (of.record.datasets if of.record else {}).items() if each.encrypted}
    held = {name: _replica(name, chain, name in encrypted) for name, chain in of.replicas.items() if chain}
    return replace(
        no_answer("not asked for"),
        clock=Present(NOW + of.clock),
        records=Present(record) if of.set_up else ABSENT,
        replicas=WHY if of.unread_replicas else Present({world.name: held}) if of.set_up else ABSENT,
    )


def _replica(name: str, chain: list[Snapshot], encrypted: bool) -> Replica:
    snapshots = tuple(ReplicaSnapshot(s.name, s.guid, s.creation, 1, 0, 10**9) for s in chain)
    return Replica(name, 10**9, encrypted, False, snapshots)
