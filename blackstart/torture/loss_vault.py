"""What can be done to what the vaults know, and to a rebuild that was under way. Pure; see loss.py."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from blackstart.restore.names import landing
from blackstart.torture.loss import Loss, reboot
from blackstart.torture.state import members
from blackstart.torture.world import NOW, POOL, Dataset, Pool, Vault, World
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import OpenRebuild
from blackstart.verdict_disks import replaced

SILENT = "no route to host"


def _current(world: World) -> list[Vault]:
    """The vaults that saw the last epoch."""
    return [each for each in world.vaults.values() if each.record and each.record.epoch == world.epoch]


def vault_gone(world: World, rng: Random) -> str:
    vault = world.vaults[rng.choice(sorted(world.vaults))]
    if rng.random() < 0.8:
        vault.says = SILENT
        return f"{vault.name} is gone"
    vault.set_up, vault.record, vault.replicas, vault.torn = False, None, {}, False
    return f"{vault.name} is gone and made anew, without its data"


def partition(world: World, rng: Random) -> str:
    """Whoever saw the last epoch is cut off; the others, if any, remember an older one."""
    for vault in _current(world):
        vault.says = SILENT
    return "the vaults that saw the last epoch are cut off"


def vault_stale(world: World, rng: Random) -> str:
    """The vault's own pool went back in time: its record and replicas are from before the last snapshots."""
    vault = world.vaults[rng.choice(sorted(world.vaults))]
    names = sorted(name for name, chain in vault.replicas.items() if len(chain) > 1 and name not in vault.forged)
    if not names or vault.record is None:
        return ""
    name = rng.choice(names)
    vault.replicas[name] = vault.replicas[name][:-1]
    if rng.random() < 0.5:
        return f"the newest snapshot of {name} on {vault.name} is gone, its record names it"
    newest = vault.replicas[name][-1]
    known = vault.record.datasets.get(name)
    if known:
        known = replace(known, snapshot=newest.name, guid=newest.guid, creation=newest.creation)
        vault.record = replace(vault.record, datasets=vault.record.datasets | {name: known})
    return f"{vault.name} is behind with {name}"


def replica_replaced(world: World, rng: Random) -> str:
    """Somebody else's data lies under the replica's name."""
    vault = world.vaults[rng.choice(sorted(world.vaults))]
    names = sorted(vault.replicas)
    if not names or vault.record is None:
        return ""
    name = rng.choice(names)
    vault.aside.append(vault.replicas[name])
    vault.forged.add(name)
    vault.replicas[name] = [replace(each, guid=world.guid()) for each in vault.replicas[name]]
    return f"{name} on {vault.name} is something else"


def record_torn(world: World, rng: Random) -> str:
    vault = world.vaults[rng.choice(sorted(world.vaults))]
    if not vault.set_up:
        return ""
    vault.torn = True
    return f"the record on {vault.name} cannot be read"


def record_forgotten(world: World, rng: Random) -> str:
    """No vault has a record: never enrolled, or every one of them was made anew."""
    for vault in world.vaults.values():
        vault.record, vault.replicas = None, {}
    if rng.random() < 0.5:
        for disk in world.disks.values():
            disk.holds = ""
        world.imported = set()
    return "no vault knows the node"


def replicas_unreadable(world: World, rng: Random) -> str:
    vault = world.vaults[rng.choice(sorted(world.vaults))]
    vault.unread_replicas = True
    return f"the replicas on {vault.name} cannot be read"


def clock_off(world: World, rng: Random) -> str:
    off = rng.choice((-365 * 86400, -3600, 3600, 365 * 86400))
    who = rng.choice(sorted(world.vaults))
    world.vaults[who].clock = off
    return f"the clock of {who} is off by {off} s"


def half_finished(world: World, rng: Random) -> str:
    """An earlier bootstrap was ended somewhere: opened, pools made, written down, data under way."""
    current = [each for each in _current(world) if not each.says]
    gone = [
        name
        for name, guid in world.lives.items()
        if world.spec.node.pools[name].managed and not world.here(guid) and not world.imported_as(name)
    ]
    if not current or world.epoch != max(each.record.epoch for each in current if each.record):
        return ""
    vault = rng.choice(current)
    stage = rng.randint(0, 3) if gone else 0
    disks = _disks(world, gone)
    if disks is None and stage:
        return ""
    made = {name: _made(world, name, disks or {}) for name in gone if stage}
    written = {name: pool.guid for name, pool in _there(world).items()} if stage >= 2 else {}
    begun = OpenRebuild(world.epoch + 1, NOW - 600, "ops@laptop", disks or {}, {})
    for each in current:
        # Another run may have come no further, by a vault that was silent later on.
        if each.record and (each is vault or (gone and rng.random() < 0.3)):
            opened = replace(begun, pools=written) if each is vault else begun
            each.record = replace(each.record, rebuild=opened)
    if stage == 3:
        _half_restored(world, rng, vault, made)
    after = reboot(world, rng) if rng.random() < 0.4 else "nothing else happened"
    said = ("was opened", "made pools", "wrote down the pools", "brought some data")[stage]
    return f"an earlier run, by {vault.name}, {said}; {after}"


def _there(world: World) -> dict[str, Pool]:
    """What a run writes down: every managed pool that is imported."""
    there = {name: world.imported_as(name) for name, pool in world.spec.node.pools.items() if pool.managed}
    return {name: pool for name, pool in there.items() if pool}


def _disks(world: World, gone: list[str]) -> dict[str, str] | None:
    """Which disks stand in for those that are gone too; None where there are not enough."""
    wanted = [member for name in gone for vdev in world.spec.node.pools[name].vdevs for member in vdev.members]
    blank = {each.id: each.size for each in world.disks.values() if not each.holds and each.readable}
    given: dict[str, str] = {}
    for member in wanted:
        if blank.pop(member.id, 0) < member.size:
            given[member.id] = ""
    for member in sorted((each for each in wanted if each.id in given), key=lambda each: -each.size):
        fits = [name for name, size in blank.items() if size >= member.size]
        if not fits:
            return None
        given[member.id] = fits[0]
        del blank[fits[0]]
    return given


def _made(world: World, name: str, disks: dict[str, str]) -> Pool:
    """The pool as that run made it."""
    vdevs = replaced(world.spec.node.pools[name], disks).vdevs
    guid, epoch = world.guid(), world.epoch + 1
    pool = Pool(name, guid, world.name, epoch, pool_comment(epoch, world.name), vdevs)
    world.pools[guid], world.tools = pool, True
    world.imported.add(guid)
    for each in members(vdevs):
        world.disks[each].holds = POOL + guid
    return pool


def _half_restored(world: World, rng: Random, vault: Vault, made: dict[str, Pool]) -> None:
    for name, chain in vault.replicas.items():
        pool = made.get(name.split("/")[0])
        if not pool or rng.random() < 0.4:
            continue
        newest = chain[-1]
        if rng.random() < 0.5:
            pool.datasets[name] = Dataset([newest], mark=f"{newest.guid}-e{world.epoch + 1}")
        else:
            token = "1-token" if rng.random() < 0.5 else ""
            pool.datasets[landing(name, newest.guid)] = Dataset([] if token else [newest], token=token)


ON_VAULTS: tuple[Loss, ...] = (
    vault_gone,
    vault_gone,
    partition,
    partition,
    vault_stale,
    replica_replaced,
    record_torn,
    record_forgotten,
    replicas_unreadable,
    clock_off,
    half_finished,
)
