"""What ZFS and a person's data allow: each act on the simulated machine, and what is wrong about it. Pure."""

from __future__ import annotations

from blackstart.spec.node import Vdev
from blackstart.torture.world import POOL, Dataset, Pool, Snapshot, World, Wrong


def install(world: World) -> None:
    """ZFS's tools are there from now on."""
    world.tools = True


def create(world: World, name: str, vdevs: tuple[Vdev, ...], epoch: int, comment: str) -> None:
    """`zpool create`: on disks that are there, blank, large enough, and nowhere else in it."""
    taken: set[str] = set()
    for vdev in vdevs:
        for member in vdev.members:
            disk = world.disks.get(member.id)
            if disk is None:
                raise Wrong(f"pool {name} is made on {member.id}, which is not there")
            if disk.holds or not disk.readable:
                raise Wrong(f"pool {name} is made over {disk.holds or 'what could not be read'} on {member.id}")
            if disk.size < member.size or member.id in taken:
                raise Wrong(f"pool {name} is made on {member.id}, which is too small or taken twice")
            taken.add(member.id)
        sizes = [world.disks[member.id].size for member in vdev.members]
        if vdev.type != "disk" and max(sizes) - min(sizes) > 16 << 20:
            raise Wrong(f"pool {name} is made of disks of different sizes, which takes force")
    if world.imported_as(name) or not world.tools:
        raise Wrong(f"pool {name} is made where it is already, or without tools")
    guid = world.guid()
    world.pools[guid] = Pool(name, guid, world.name, epoch, comment, vdevs)
    world.imported.add(guid)
    for each in taken:
        world.disks[each].holds = POOL + guid


def import_(world: World, guid: str, allowed: set[str]) -> None:
    """`zpool import -f GUID`. `allowed`: the guids of pools that are this node's, now."""
    pool = world.pools.get(guid)
    if pool is None or not world.here(guid) or world.state(pool) == "UNAVAIL" or not world.tools:
        raise Wrong(f"pool {guid} is imported, and cannot be")
    if guid not in allowed:
        raise Wrong(f"pool {pool.name} ({guid}) of {pool.owner}, epoch {pool.epoch}, is imported: it is not the node's")
    if world.imported_as(pool.name):
        raise Wrong(f"pool {guid} is imported beside another {pool.name}")
    world.imported.add(guid)


def _pool(world: World, dataset: str) -> Pool:
    pool = world.imported_as(dataset.split("/")[0])
    if pool is None or world.state(pool) == "UNAVAIL":
        raise Wrong(f"{dataset} is touched where its pool is not there")
    return pool


def make(world: World, dataset: str, encrypted: bool) -> None:
    """`zfs create`: never in the place of data that the node lacks and a vault that answers has."""
    pool = _pool(world, dataset)
    if dataset in pool.datasets:
        raise Wrong(f"{dataset} is made where it is already")
    unheard = world.unheard()
    if any(each.replicas.get(dataset) for each in world.vaults.values() if each not in unheard):
        raise Wrong(f"{dataset} is made empty, and a vault has it")
    world.born.add(dataset)
    pool.datasets[dataset] = Dataset(encrypted=encrypted)


def receive(world: World, landing: str, snapshot: Snapshot, encrypted: bool) -> None:
    """`zfs receive -s -u LANDING`: into nothing, or going on."""
    pool = _pool(world, landing)
    there = pool.datasets.get(landing)
    if there and not there.token:
        raise Wrong(f"{landing} is received over what is there")
    pool.datasets[landing] = Dataset([snapshot], encrypted)


def cut_over(world: World, landing: str, dataset: str, mark: str) -> None:
    """The cut-over script: what has the name is renamed aside, with all below it."""
    pool = _pool(world, dataset)
    if dataset in pool.datasets and pool.datasets[dataset].mark == mark:
        return
    if landing not in pool.datasets or pool.datasets[landing].token or not pool.datasets[landing].snapshots:
        raise Wrong(f"{dataset} comes out of {landing}, which is not received whole")
    for name in [name for name in pool.datasets if name == dataset or name.startswith(f"{dataset}/")]:
        pool.datasets[f"{dataset}.aside-{world.guid()}{name[len(dataset) :]}"] = pool.datasets.pop(name)
    pool.datasets[dataset] = pool.datasets.pop(landing)
    pool.datasets[dataset].mark = mark


def inventory(world: World) -> set[str]:
    """Everything that somebody could miss: what disks hold, every snapshot of every pool, every replica."""
    found = {f"{disk.id} holds {disk.holds}" for disk in world.disks.values() if disk.holds}
    for pool in world.pools.values():
        for dataset in pool.datasets.values():
            found |= {f"pool {pool.guid} has {each.guid}" for each in dataset.snapshots}
    for vault in world.vaults.values():
        for chain in (*vault.replicas.values(), *vault.aside):
            found |= {f"{vault.name} has {each.guid}" for each in chain}
    return found
