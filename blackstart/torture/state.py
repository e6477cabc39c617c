"""A sound fleet out of a seed, with a past: rebuilds, dead branches of data, vaults that were away. Pure."""

from __future__ import annotations

import itertools
from dataclasses import replace
from random import Random

from blackstart.spec.node import Vdev
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.torture.shape import KEY, TB, node_spec
from blackstart.torture.world import NOW, POOL, Dataset, Disk, Pool, Snapshot, Vault, World
from blackstart.vault.layout import pool_comment, snapshot_name
from blackstart.vault.record import Applied, DatasetRecord, PoolRecord, Record, Unfinished

NODE = "node1"
PERIOD = 900  # seconds from one snapshot to the next


def state(rng: Random) -> World:
    """Everything is there, imported and replicated; nothing has been lost yet."""
    spec = node_spec(rng, NODE, rng.choice((1, 1, 2, 2, 3)))
    numbers = itertools.count(rng.randrange(10**17, 10**18))
    world = World(NODE, spec, _working(rng, spec), 0, {}, {}, {}, [], {}, {}, numbers)
    world.vaults = {name: Vault(name, None) for name in spec.vaults}
    _disks(world)
    last = rng.choice((1, 1, 2, 2, 3))
    for epoch in range(1, last + 1):
        _lived(rng, world, epoch)
        away = rng.choice(sorted(world.vaults)) if len(world.vaults) > 1 and epoch > 1 and rng.random() < 0.4 else ""
        for vault in world.vaults.values():
            if vault.name != away:
                _learnt(rng, world, vault)
    knows = [each for each in world.vaults.values() if each.record and each.record.epoch == last]
    if rng.random() < 0.1:
        vault = rng.choice(knows)
        vault.record = record(world, vault, Unfinished(NOW - 60, "ops", True))
    world.imported = set(world.lives.values())
    _put_on_disks(world)
    return world


def _working(rng: Random, spec: NodeSpec) -> NodeSpec:
    """Sometimes the files have other wishes since: what was applied counts."""
    if rng.random() < 0.8:
        return spec
    other = node_spec(rng, spec.name, len(spec.vaults))
    node = other.node.model_copy(update={"replacement": spec.node.replacement})
    return other.model_copy(update={"node": node})


def _disks(world: World) -> None:
    for pool in world.spec.node.pools.values():
        for vdev in pool.vdevs:
            for member in vdev.members:
                size = member.size + TB // 100
                world.disks[member.id] = Disk(member.id, size, part=member.id.endswith("-part3"))


def _put_on_disks(world: World) -> None:
    for guid in world.lives.values():
        for member in members(world.pools[guid].vdevs):
            world.disks[member].holds = POOL + guid


def members(vdevs: tuple[Vdev, ...]) -> list[str]:
    """Disk ids of a pool's vdevs."""
    return [member.id for vdev in vdevs for member in vdev.members]


def _lived(rng: Random, world: World, epoch: int) -> None:
    """One epoch of the node: pools made (all at first, later what had been lost), data restored, then more of it."""
    managed = [name for name, pool in world.spec.node.pools.items() if pool.managed]
    made = list(world.spec.node.pools) if epoch == 1 else rng.sample(managed, rng.randint(1, len(managed)))
    for name in made:
        if name in world.lives:
            world.old.append(world.lives[name])
        guid = world.guid()
        world.pools[guid] = Pool(name, guid, world.name, epoch, "", world.spec.node.pools[name].vdevs)
        world.lives[name] = guid
    for name in managed:
        pool = world.pools[world.lives[name]]
        # Made anew or not: each pool says which epoch the node is of. Some hand may have written over it.
        pool.epoch = epoch
        pool.comment = pool_comment(epoch, world.name) if rng.random() < 0.95 else "mine"
    for item in wanted_datasets(world.spec):
        pool = world.pools[world.lives[item.name.split("/")[0]]]
        if item.replicate:
            before = world.chains.get(item.name, [])
            kept = before[: rng.randint(1, len(before))] if item.name.split("/")[0] in made and before else before
            world.chains[item.name] = kept + _snapshots(rng, world, epoch)
        pool.datasets[item.name] = Dataset(world.chains.get(item.name, []), item.encryption is not None)
    world.epoch = epoch


def _snapshots(rng: Random, world: World, epoch: int) -> list[Snapshot]:
    """Some a period apart; those of the last epoch end shortly before now."""
    begin = NOW - (4 - epoch) * 86400
    times = [begin + number * PERIOD for number in range(rng.randint(1, 4))]
    return [Snapshot(snapshot_name(when), world.guid(), when) for when in times]


def _learnt(rng: Random, world: World, vault: Vault) -> None:
    """What a vault knows at the end of an epoch that it saw: its replicas end a little before the node's snapshots."""
    for name, chain in world.chains.items():
        if rng.random() < 0.12 and name not in vault.replicas:
            continue  # so young that nothing of it has arrived
        before = vault.replicas.get(name, [])
        if before and before[-1] not in chain:
            vault.aside.append(before)
        vault.replicas[name] = chain[: max(1, len(chain) - rng.choice((0, 0, 1, 2)))]
    vault.record = record(world, vault)


def record(world: World, vault: Vault, unfinished: Unfinished | None = None) -> Record:
    """What the vault has written down of the world as it is."""
    spec = world.spec
    pools = {name: PoolRecord(guid, TB, tuple(members(world.pools[guid].vdevs))) for name, guid in world.lives.items()}
    if not world.applied:
        document = spec.model_dump(mode="json", by_alias=True)
        world.applied = Applied(spec.digest(), "abc123", "ops", 0, document)
    applied = replace(world.applied, at=NOW - 86400 + world.epoch)
    datasets = {
        item.name: known(vault.replicas.get(item.name, []), item.encryption is not None)
        for item in wanted_datasets(spec)
        if item.replicate
    }
    return Record(world.name, world.epoch, KEY, pools, datasets, applied, unfinished=unfinished)


def known(chain: list[Snapshot], encrypted: bool) -> DatasetRecord:
    """What a record says of a dataset of which this has arrived."""
    newest = chain[-1] if chain else Snapshot("", "", 0)
    return DatasetRecord(encrypted, newest.name, newest.guid, newest.creation)
