"""A generated world, made real: replicas, pools on disks, what lies on other disks, records. Scripts for the guest.

In this order, since each needs the guids that ZFS gave before: snapshots and replicas, pools, records.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from blackstart.change import shell
from blackstart.converge.pool import ROOT
from blackstart.converge.pool import layout as vdev_words
from blackstart.torture.guest.machine import BANKS
from blackstart.torture.guest.mint import Mint, encryption
from blackstart.torture.guest.signature import image
from blackstart.torture.state import members
from blackstart.torture.world import NOW, POOL, Dataset, Pool, Vault, World
from blackstart.vault import layout
from blackstart.vault.record import dump_record
from blackstart.vault.restore_plan import RESTORED

BLOCK = 4096


def fitted(world: World) -> None:
    """The world as a guest can have it: pools of the vaults' own, disks of whole blocks."""
    for vault, bank in zip(world.vaults.values(), BANKS, strict=False):
        vault.pool = bank
    for disk in world.disks.values():
        disk.size = -(-disk.size // BLOCK) * BLOCK
        if disk.holds in ("xfs", "ntfs"):
            disk.holds = "ext4"


def cannot(world: World) -> str:
    """Why this world cannot be had in a guest; "" where it can."""
    if any(world.state(world.pools[guid]) == "UNAVAIL" for guid in world.imported):
        return "an imported pool hangs"
    if any(not disk.readable and disk.holds.startswith(POOL) for disk in world.disks.values()):
        return "a disk that holds a pool cannot be read"
    return ""


def needed(world: World) -> list[Pool]:
    """Pools that this machine has a part of; those that stay as they are made come last."""
    return sorted(world.on_disks(), key=lambda pool: (stays(world, pool), pool.guid))


def stays(world: World, pool: Pool) -> bool:
    return pool.guid in world.imported and world.here(pool.guid) == set(members(pool.vdevs))


def mint_of(world: World) -> Mint:
    """Everything that any pool or replica has."""
    mint = Mint()
    encrypted = {name for pool in world.pools.values() for name, each in pool.datasets.items() if each.encrypted}
    for vault in world.vaults.values():
        for name, chain in vault.replicas.items():
            mint.add(chain, name in encrypted)
    for pool in needed(world):
        for name, dataset in pool.datasets.items():
            if "/.restore/" not in name and not dataset.mark:
                mint.add(dataset.snapshots, dataset.encrypted)
    return mint


def replicas(world: World, mint: Mint) -> str:
    """What each vault holds."""
    lines = ["set -e"]
    for vault in world.vaults.values():
        if not vault.set_up:
            lines.append(shell("zfs", "destroy", "-r", f"{vault.pool}/vault"))
            continue
        targets = {layout.replica(vault.pool, world.name, name): chain for name, chain in vault.replicas.items()}
        parents = {target.rsplit("/", 1)[0] for target, chain in targets.items() if chain}
        lines += [shell("zfs", "create", "-p", "-o", "canmount=off", each) for each in sorted(parents)]
        lines += [mint.send(chain, target) for target, chain in sorted(targets.items()) if chain]
    return "\n".join([*lines, f"now {NOW}"]) + "\n"


class Disks:
    """Slots of the guest: which file stands for which disk."""

    def __init__(self, world: World) -> None:
        self.world, self.slots = world, dict[tuple[str, str], int]()
        for pool in needed(world):
            for member in members(pool.vdevs):
                self.slot(pool.guid, member)
        for disk in world.disks.values():
            self.slot(disk.holds.removeprefix(POOL), disk.id)

    def slot(self, holds: str, disk: str) -> int:
        return self.slots.setdefault((holds if holds in self.world.pools else "", disk), len(self.slots) + 1)

    def names(self) -> str:
        lines = [f"named {slot} {shell(whole(disk))}" for (_, disk), slot in self.slots.items()]
        return "\n".join([*lines, "udevadm control --reload"]) + "\n"

    def plug(self, holds: str, disk: str, size: int) -> str:
        """A whole disk that a pool has carries one partition, as ZFS itself makes them."""
        size = -(-size // BLOCK) * BLOCK
        slot, name = self.slot(holds, disk), whole(disk)
        if name != disk:
            return f"plug {slot} {shell(name)} {size + 10**11 // BLOCK * BLOCK} 3 {size}"
        return f"plug {slot} {shell(name)} {size}" + (" 1 0" if holds in self.world.pools else "")


def part_of(disk: str) -> str:
    """Where a pool's label is."""
    return disk if disk.endswith("-part3") else f"{disk}-part1"


def whole(disk: str) -> str:
    return disk.removesuffix("-part3")


def pools(world: World, mint: Mint) -> str:
    """Every pool, in its state; then the other disks. Says `pool TAB old guid TAB guid` of each."""
    disks = Disks(world)
    lines = ["set -e", disks.names(), "echo 0x00c0ffee >/sys/module/spl/parameters/spl_hostid"]
    for pool in needed(world):
        lines += _made(world, disks, mint, pool)
    lines += _others(world, disks)
    again = [pool for pool in needed(world) if pool.guid in world.imported and not stays(world, pool)]
    lines += [f'zpool import -N -f -d /dev/disk/by-id "$p{pool.guid}" || fail import' for pool in again]
    if world.tools is False or not world.imported:
        lines.append("echo 0x0badcafe >/sys/module/spl/parameters/spl_hostid")
    lines += ["zpool export mint", f"now {NOW}"]
    lines += [f'printf "pool\\t%s\\t%s\\n" {pool.guid} "$p{pool.guid}"' for pool in needed(world)]
    return "\n".join(lines) + "\n"


def _made(world: World, disks: Disks, mint: Mint, pool: Pool) -> Iterator[str]:
    """One pool, whole, with its data; then switched off, where it is not as it was made."""
    legs = members(pool.vdevs)
    parts = {each: part_of(each) for each in legs}
    sizes = {each.id: each.size for vdev in pool.vdevs for each in vdev.members}
    sizes |= {each: world.disks[each].size for each in world.here(pool.guid) if each in sizes}
    yield from (disks.plug(pool.guid, each, sizes[each]) for each in legs)
    yield shell("there", *map(part_of, legs))
    yield "gone"
    root = [part for key, value in sorted(ROOT.items()) for part in ("-O", f"{key}={value}")]
    comment = ["-o", f"comment={pool.comment}"] if pool.comment not in ("", "-") else []
    yield shell("zpool", "create", "-f", *comment, *root, pool.name, *vdev_words(pool.vdevs, parts)) + " || fail create"
    yield f"p{pool.guid}=$(zpool list -Hp -o guid {shell(pool.name)})"
    for name, dataset in sorted(pool.datasets.items()):
        yield from _dataset(world, mint, name, dataset)
    if not stays(world, pool):
        yield shell("zpool", "sync", pool.name)
        # Hidden, and what a machine that was switched off leaves behind: a pool that says it is in use.
        yield shell("zpool", "export", "-F", pool.name) + " || fail export"
        yield shell("unplug", *(str(disks.slot(pool.guid, each)) for each in legs))
        yield "gone"


def _dataset(world: World, mint: Mint, name: str, dataset: Dataset) -> Iterator[str]:
    if "/.restore/" in name:
        newest = name.rsplit("-", 1)[1]
        yield shell("zfs", "create", "-p", "-o", "canmount=off", name.rsplit("/", 1)[0])
        cut = f" | head -c {250 * 1024}" if dataset.token else ""
        yield f"zfs send -w {shell(_held(world, newest))}{cut} | zfs receive -s -u {shell(name)} 2>/dev/null || :"
    elif dataset.snapshots and dataset.mark:
        yield f"zfs create -p -o canmount=off -o mountpoint=none {shell(name.rsplit('/', 1)[0])}"
        held = shell(_held(world, dataset.snapshots[-1].guid))
        yield f"zfs send -w {held} | zfs receive -u {shell(name)} || fail {shell(name)}"
        yield shell("zfs", "set", f"{RESTORED}={dataset.mark}", name)
    elif dataset.snapshots:
        yield mint.send(dataset.snapshots, name)
    else:
        yield shell("zfs", "create", "-p", "-o", "canmount=off", *encryption(dataset.encrypted), name)


def _held(world: World, guid: str) -> str:
    """Where a vault has it."""
    for vault in world.vaults.values():
        for name, chain in vault.replicas.items():
            for each in chain:
                if each.guid == guid:
                    return f"{layout.replica(vault.pool, world.name, name)}@{each.name}"
    raise KeyError(guid)


def _others(world: World, disks: Disks) -> Iterator[str]:
    """What stands in the machine and was not plugged yet."""
    up = {disk for pool in needed(world) if stays(world, pool) for disk in world.here(pool.guid)}
    late = [disk for disk in world.disks.values() if disk.id not in up]
    yield from (disks.plug(disk.holds.removeprefix(POOL), disk.id, disk.size) for disk in late)
    if late:
        wanted = [part_of(disk.id) if disk.part or disk.holds.startswith(POOL) else disk.id for disk in late]
        yield shell("there", *wanted)
    for disk in late:
        if disk.holds and not disk.holds.startswith(POOL):
            for offset, content in image(disk.holds, disk.size):
                text = base64.b64encode(content).decode()
                where = f"of=/dev/disk/by-id/{shell(disk.id)} bs=1 seek={offset} conv=notrunc status=none"
                yield f"echo {text} | base64 -d | dd {where}"
    yield "sync; gone"


def records(world: World) -> str:
    """What each vault has written down."""
    lines = ["set -e"]
    for vault in world.vaults.values():
        if vault.set_up and (vault.record or vault.torn):
            lines += _record(world, vault)
    return "\n".join(lines) + "\n"


def _record(world: World, vault: Vault) -> Iterator[str]:
    text = dump_record(vault.record) if vault.record else "{}"
    text = text[: len(text) // 2] if vault.torn else text
    folder = f"{layout.LIVE}/{world.name}"
    yield f"turn {vault.pool} {NOW}"
    yield f"mkdir -p {folder}; chgrp {layout.RESTORE} {folder}; chmod 2775 {folder}"
    yield f"cat >{folder}/record.json <<'END'\n{text}\nEND"
    yield f"chown {layout.RESTORE}: {folder}/record.json"


def learnt(world: World, mint: Mint, said: str) -> dict[str, str]:
    """Old guid -> ZFS's own, of the mint's snapshots; their times are put right in the world."""
    values = said.split()
    guids = dict(zip(mint.order(), values[::2], strict=True))
    times = dict(zip(mint.order(), map(int, values[1::2]), strict=True))
    chains = [each.snapshots for pool in world.pools.values() for each in pool.datasets.values()]
    chains += [*world.chains.values(), *(chain for vault in world.vaults.values() for chain in vault.replicas.values())]
    for chain in {id(chain): chain for chain in chains}.values():
        chain[:] = [replace(each, creation=times.get(each.guid, each.creation)) for each in chain]
    for vault in world.vaults.values():
        if vault.record:
            known = {
                name: replace(each, creation=times.get(each.guid, each.creation))
                for name, each in vault.record.datasets.items()
            }
            vault.record = replace(vault.record, datasets=known)
    return guids
