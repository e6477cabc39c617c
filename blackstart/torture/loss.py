"""What can be done to a node and to its vaults, each as one act on the simulated world. Pure.

An act returns what it did in one clause, or "" where it does not apply to this world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from blackstart.torture.shape import TB
from blackstart.torture.state import members
from blackstart.torture.world import NOW, POOL, Dataset, Disk, Pool, World
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import ON_VAULT_ONLY, DatasetRecord

Loss = Callable[[World, Random], str]
SIGNATURES = ("ext4", "xfs", "linux_raid_member", "LVM2_member", "crypto_LUKS", "ntfs")


def _managed(world: World) -> list[str]:
    return [name for name, pool in world.spec.node.pools.items() if pool.managed]


def reboot(world: World, rng: Random) -> str:
    """Into the same system, which imports what it can; or into a new one, without tools."""
    if rng.random() < 0.5:
        world.imported = {guid for guid in world.imported if world.state(world.pools[guid]) != "UNAVAIL"}
        return "the machine was started again"
    world.imported, world.tools = set(), rng.random() < 0.4
    return "the operating system is new" + (", with ZFS's tools" if world.tools else "")


def system_gone(world: World, rng: Random) -> str:
    """The system's own disk, and no other."""
    world.imported, world.tools = set(), rng.random() < 0.4
    return "the operating system was lost"


def _exchange(world: World, rng: Random, disk: Disk, fate: str) -> None:
    """A disk is gone: nothing is there, or a blank one, under its name or another."""
    place = list(world.disks)
    del world.disks[disk.id]
    fate = rng.choice(("same", "other", "size", "small", "none")) if fate == "any" else fate
    if fate == "same":
        world.disks[disk.id] = Disk(disk.id, disk.size, disk.part)
    elif fate == "small":
        world.disks[disk.id] = Disk(disk.id, TB, disk.part)
    elif fate != "none":
        size = rng.choice((TB, 16 * TB)) if fate == "size" else disk.size
        ending = "-part3" if disk.part else ""
        name = f"ata-N{world.guid()[-6:]}{ending}"
        world.disks[name] = Disk(name, size, disk.part)
        place[place.index(disk.id)] = name
    world.disks = {name: world.disks[name] for name in place if name in world.disks}


def disks_gone(world: World, rng: Random) -> str:
    """All disks of one or several pools."""
    lost = rng.sample(_managed(world), rng.randint(1, len(_managed(world))))
    fate = rng.choice(("same", "same", "same", "other", "other", "none", "any"))
    for name in lost:
        for disk in sorted(world.here(world.lives[name])):
            _exchange(world, rng, world.disks[disk], fate)
    after = system_gone(world, rng) if rng.random() < 0.6 else reboot(world, rng)
    return f"the disks of {', '.join(sorted(lost))} are gone, {after}"


def one_disk_gone(world: World, rng: Random) -> str:
    held = sorted(disk.id for disk in world.disks.values() if disk.holds[len(POOL) :] in world.lives.values())
    if not held:
        return ""
    name = rng.choice(held)
    _exchange(world, rng, world.disks[name], "any")
    after = rng.choice((lambda *_: "the machine runs on", reboot, system_gone))(world, rng)
    return f"disk {name} is gone, {after}"


def foreign_signature(world: World, rng: Random) -> str:
    """Somebody put a file system or a pool of another name on a disk that was meant for a pool, or beside it."""
    blank = sorted(disk.id for disk in world.disks.values() if not disk.holds)
    if not blank or rng.random() < 0.2:
        world.disks["ata-Z"] = Disk("ata-Z", 8 * TB)
        blank = ["ata-Z"]
    name = rng.choice(blank)
    if rng.random() < 0.7:
        world.disks[name].holds = rng.choice(SIGNATURES)
    else:
        _stranger(world, "photos", "", [name])
    return f"{name} carries {world.disks[name].holds}"


def _stranger(world: World, name: str, owner: str, disks: list[str]) -> Pool:
    """A pool of somebody else on these disks, whole."""
    guid = world.guid()
    comment = pool_comment(2, owner) if owner else "-"
    vdev = next(iter(world.spec.node.pools.values())).vdevs[0]
    ids = tuple(vdev.members[0].model_copy(update={"id": disk}) for disk in disks)
    kind = {"type": "mirror" if len(disks) > 1 else "disk", "role": "data", "members": ids}
    world.pools[guid] = Pool(name, guid, owner, 2, comment, (vdev.model_copy(update=kind),))
    world.pools[guid].datasets[f"{name}/data/crm"] = Dataset()
    for disk in disks:
        world.disks[disk].holds = POOL + guid
    return world.pools[guid]


def swapped_disks(world: World, rng: Random) -> str:
    """Disks of another node, whose pool has the same name, stand in this machine; its own may be there too, or not."""
    name = rng.choice(_managed(world))
    own = sorted(world.here(world.lives[name]))
    theirs = ["ata-Y1", "ata-Y2"]
    if own and rng.random() < 0.6:
        theirs = own if rng.random() < 0.5 else theirs
        for disk in own:
            size, part = world.disks[disk].size, world.disks[disk].part
            del world.disks[disk]
            if disk in theirs:
                world.disks[disk] = Disk(disk, size, part)
        world.imported.discard(world.lives[name])
    for each in theirs:
        world.disks.setdefault(each, Disk(each, 4 * TB))
    pool = _stranger(world, name, rng.choice(("node2", "node2", "")), theirs)
    if world.tools and not world.imported_as(name) and rng.random() < 0.3:
        world.imported.add(pool.guid)
    return f"disks of {pool.owner or 'a stranger'} with a pool {name} stand in the machine"


def old_node_returns(world: World, rng: Random) -> str:
    """The machine that was replaced at an earlier epoch is switched on, with its old pools, instead of the new one."""
    names = {world.pools[guid].name for guid in world.old}
    if not names:
        return ""
    name = rng.choice(sorted(names))
    guid = rng.choice([guid for guid in world.old if world.pools[guid].name == name])
    for each in world.here(world.lives[name]):
        world.disks[each].holds = ""
    world.imported.discard(world.lives[name])
    wanted = members(world.pools[guid].vdevs)
    if any(each in world.disks and world.disks[each].holds for each in wanted):
        return f"the {name} of now is gone"
    for each in wanted:
        world.disks.setdefault(each, Disk(each, 16 * TB, each.endswith("-part3"))).holds = POOL + guid
    if world.tools and rng.random() < 0.5 and not world.imported_as(name):
        world.imported.add(guid)
    return f"the {name} of epoch {world.pools[guid].epoch} is back"


def dataset_lost(world: World, rng: Random) -> str:
    there = [
        (world.pools[guid], name)
        for guid in sorted(world.imported)
        for name in sorted(world.pools[guid].datasets)
        if name in world.chains
    ]
    if not there:
        return ""
    pool, name = rng.choice(there)
    for each in [each for each in pool.datasets if each == name or each.startswith(f"{name}/")]:
        del pool.datasets[each]
    return f"{name} was destroyed by a hand"


def retired(world: World, rng: Random) -> str:
    for vault in world.vaults.values():
        if vault.record:
            vault.record = replace(vault.record, retired=True)
    return "the node was retired"


def retired_dataset(world: World, rng: Random) -> str:
    """One that the spec has no longer: its replica stays, and nobody brings it back."""
    name = f"{next(iter(world.spec.node.pools))}/data/given-up"
    for vault in world.vaults.values():
        if vault.record:
            aside = rng.choice((ON_VAULT_ONLY, f"{name.split('/')[0]}/retired/given-up"))
            known = DatasetRecord(False, "blackstart_x", "42", NOW - 9999, aside)
            vault.record = replace(vault.record, datasets=vault.record.datasets | {name: known})
    return f"{name} was retired"


def key_lost(world: World, rng: Random) -> str:
    encrypted = sorted(
        name for pool in world.lives.values() for name, each in world.pools[pool].datasets.items() if each.encrypted
    )
    if not encrypted:
        return ""
    world.lost_keys.add(rng.choice(encrypted))
    return f"the key of {', '.join(world.lost_keys)} is nowhere"


ON_NODE: tuple[Loss, ...] = (
    disks_gone,
    disks_gone,
    disks_gone,
    one_disk_gone,
    system_gone,
    swapped_disks,
    old_node_returns,
    dataset_lost,
)
BESIDE: tuple[Loss, ...] = (foreign_signature, retired, retired_dataset, key_lost)
