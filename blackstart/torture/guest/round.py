"""One seed on the guest, from begin to end: the world made real, the runs, and what must hold of ZFS afterwards."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from random import Random

from blackstart.change import shell
from blackstart.lab.errors import LabError
from blackstart.torture.data import replicate
from blackstart.torture.guest import build
from blackstart.torture.guest.machine import Guest
from blackstart.torture.guest.renamed import renamed
from blackstart.torture.guest.run import Guids, OnGuest
from blackstart.torture.round import Play, Round, told
from blackstart.torture.run import Bootstrap
from blackstart.torture.stage import stage
from blackstart.torture.world import NOW, World, Wrong
from blackstart.vault.layout import replica

_INVENTORY = r"""
for p in $(zpool list -H -o name); do
  case $p in mint) continue;; esac
  g=$(zpool get -Hp -o value guid $p)
  zfs list -Hp -r -t snapshot -o guid "$p" | sed "s/^/pool $g has snapshot /"
  zfs list -Hp -r -t filesystem -o guid "$p" | sed "s/^/pool $g has dataset /"
done
for d in /dev/disk/by-id/*; do
  case $d in */ata-*) ;; *) continue;; esac
  blkid -p -o export "$d" | sed -n "s/^\(TYPE\|UUID\)=/${d##*\/} holds \1 /p"
done
"""


def worlds(seed: int) -> tuple[World, Random]:
    """As every other form of torture has it, with pools and disks that a guest can have."""
    world, rng = stage(seed)
    build.fitted(world)
    return world, rng


def fits(seed: int) -> str:
    """Why a seed is not played in a guest; "" where it is."""
    return build.cannot(worlds(seed)[0])


def play(guest: Guest, seed: int) -> Round:
    """Never raises, but where the guest itself is gone: whatever goes wrong is in the round."""
    world, rng = worlds(seed)
    played = Round(seed, world.story)
    parts = len(world.spec.node.pools) + len(world.vaults) + len(world.disks) + len(world.chains)
    played.weight = 3 * len(world.story) + world.epoch + parts
    with told(played, rig=LabError):
        guest.begin()
        world = made_real(guest, world)
        played.story = world.story
        OnZfs(guest, world, rng, played).play()
    return played


def made_real(guest: Guest, world: World) -> World:
    """The same world on the guest, with the guids that ZFS gave."""
    mint = build.mint_of(world)
    said = guest.run(mint.script())
    guids = build.learnt(world, mint, said)
    guest.contents = {new: old for old, new in guids.items()}
    guest.run(build.replicas(world, mint))
    mint.renamed(guids)
    world = renamed(world, guids)
    said = guest.run(build.pools(world, mint))
    guids = {old: new for kind, old, new in (line.split("\t") for line in said.splitlines()) if kind == "pool"}
    world = renamed(world, guids)
    world.numbers = Guids(world.numbers)
    guest.run(build.records(world))
    return world


class OnZfs(Play):
    """A round whose runs are carried out on the guest."""

    def __init__(self, guest: Guest, world: World, rng: Random, played: Round) -> None:
        super().__init__(world, rng, played)
        self.guest = guest
        self.real = self.inventory()

    def inventory(self) -> set[str]:
        return set(self.guest.run(_INVENTORY).splitlines())

    def bootstrap(self, allowed: set[str], stop: int = 0, dataset: str = "") -> Bootstrap:
        return OnGuest(self.guest, self.world, allowed, stop, dataset)

    def kept(self) -> None:
        """Of ZFS itself, too: every snapshot and dataset by its guid, and every signature on a disk."""
        super().kept()
        gone = sorted(self.real - self.inventory())
        if gone:
            raise Wrong(f"destroyed: {', '.join(gone[:3])}")

    def replicate(self) -> None:
        """One snapshot more of everything, and the stream since the last one to every vault that is due."""
        world = self.world
        due = [
            (pool.datasets[name], name)
            for where, guid in world.lives.items()
            if guid in world.imported
            for pool in [world.pools[guid]]
            for name in pool.datasets
            if name in world.chains and where == name.split("/")[0]
        ]
        taken = [f"{name}@blackstart_after{len(there.snapshots)}" for there, name in due]
        if taken:
            # One command for each pool: ZFS makes none at all where they are of several.
            of_pools = groupby(sorted(taken), lambda each: each.split("/")[0])
            made = "\n".join(shell("zfs", "snapshot", *names) for _, names in of_pools)
            asked = shell("values", "guid", *taken)
            numbers = world.numbers
            assert isinstance(numbers, Guids)
            numbers.given += map(int, self.guest.run(f"now {NOW}\n{made}\n{asked}").split())
        before = {name: {k: list(v) for k, v in vault.replicas.items()} for name, vault in world.vaults.items()}
        replicate(world)
        for (there, name), full in zip(due, taken, strict=True):
            fresh = replace(there.snapshots[-1], name=full.partition("@")[2], creation=NOW)
            there.snapshots = [*there.snapshots[:-1], fresh]
            for vault in world.vaults.values():
                old, new = before[vault.name].get(name, []), vault.replicas.get(name, [])
                if len(new) > len(old):
                    self._pull(vault.pool, name, full, old[-1].name if old else "")
                    vault.replicas[name] = [*new[:-1], fresh]
        # As the vault's own job does once it has pulled.
        self.guest.run(build.records(world))

    def _pull(self, pool: str, name: str, full: str, since: str) -> None:
        target = replica(pool, self.world.name, name)
        base = f"-i {shell(f'@{since}')} " if since else ""
        parent = shell("zfs", "create", "-p", "-o", "canmount=off", target.rsplit("/", 1)[0])
        try:
            self.guest.run(f"now {NOW}\n{parent}\nzfs send -w {base}{shell(full)} | zfs receive -u {shell(target)}")
        except LabError as error:
            raise Wrong(f"the chain of {name} on {pool} does not go on: {str(error).splitlines()[-1]}") from error
