"""The fleet of a seed after its losses. Pure."""

from __future__ import annotations

from random import Random

from blackstart.torture.loss import BESIDE, ON_NODE
from blackstart.torture.loss_vault import ON_VAULTS, half_finished
from blackstart.torture.state import state
from blackstart.torture.world import NOW, World
from blackstart.vault.layout import SNAPSHOT_PREFIX, snapshot_name

PARTS = ("disks", "zfs", "pools", "importable", "datasets", "snapshots")


def stage(seed: int) -> tuple[World, Random]:
    """The world, with its story; and the source of whatever else happens in this round."""
    rng = Random(seed)
    world = state(rng)
    acts = [rng.choice(ON_NODE)] if rng.random() < 0.9 else []
    acts += [half_finished] if rng.random() < 0.15 else []
    acts += [rng.choice(ON_NODE)] if rng.random() < 0.15 else []
    acts += [rng.choice(ON_VAULTS)] if rng.random() < 0.6 else []
    acts += [rng.choice(ON_VAULTS)] if rng.random() < 0.15 else []
    acts += [rng.choice(BESIDE)] if rng.random() < 0.2 else []
    world.story += [said for act in acts if (said := act(world, rng))]
    _unread(world, rng)
    if rng.random() < 0.08:
        world.at = snapshot_name(NOW - rng.randint(0, 3 * 86400)).removeprefix(SNAPSHOT_PREFIX)
        world.story.append(f"what is wanted is the state of {world.at}")
    return world, rng


def _unread(world: World, rng: Random) -> None:
    if rng.random() < 0.1:
        world.unread = {rng.choice(PARTS)}
        world.story.append(f"{', '.join(world.unread)} of the machine cannot be read")
    if rng.random() < 0.05 and world.disks:
        name = rng.choice(sorted(world.disks))
        world.disks[name].readable = False
        world.story.append(f"what is on {name} cannot be read")
