"""What happens to a machine, and what is right afterwards: known from what was done, not from what is found.

Each loss is told in the round's story. All begin at the same moment: node1 is provisioned, its service writes, its
vault has its newest snapshots.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from blackstart.drill.scenario import REPLICAS
from blackstart.drill.stage import Stage
from blackstart.lab import GB, DiskSpec, Machine
from blackstart.lab.identity import new_serials
from blackstart.torture.world import Wrong

BY_ID = "/dev/disk/by-id/virtio-"
HOUR, YEAR = 3600, 365 * 86400
CLOCKS = (-YEAR, -HOUR, HOUR, YEAR)


@dataclass(frozen=True, slots=True)
class Right:
    """`kind`: the verdict. `refused`: words of the refusal that is right; "": it goes on. `asks`: the first run is
    refused with the disks to name, and then it goes on. `sends`: data comes from the vault.

    `untouched`: disks that carry something, to which nothing may be done.
    """

    kind: str
    refused: str = ""
    asks: bool = False
    sends: bool = False
    says: str = ""
    untouched: tuple[str, ...] = ()


Loss = Callable[[Stage, Random, list[str]], Right]


def disks_gone(stage: Stage, rng: Random, story: list[str]) -> Right:
    """Another machine, its disks of other sizes, and beside them some that are none of its business."""
    fresh = [DiskSpec(serial, rng.choice((4, 5, 6)) * GB) for serial in new_serials(stage.drill.node.name, 2)]
    size = min(disk.size for disk in fresh)  # ZFS makes no mirror of disks that differ
    disks = [DiskSpec(disk.serial, size) for disk in fresh]
    what = rng.choice(("", "SMALL", "SWAP", "POOL"))
    if what:
        disks.insert(rng.randint(0, 2), DiskSpec(what, GB if what == "SMALL" else size))
    replaced(stage, tuple(disks))
    if what == "SWAP":
        stage.node(f"mkswap -q {BY_ID}SWAP")
    if what == "POOL":
        stage.node(f"zpool create -m none old {BY_ID}POOL && zpool export old")
    untouched = (what,) if what in ("SWAP", "POOL") else ()
    beside = {
        "": "nothing beside them",
        "SMALL": "one too small",
        "SWAP": "one with swap on it",
        "POOL": "one of a pool",
    }
    story.append(f"its disks are gone; new ones of {size // GB} GB, {beside[what]}")
    return Right("blank", asks=True, sends=True, untouched=untouched)


def system_gone(stage: Stage, rng: Random, story: list[str]) -> Right:
    node = stage.drill.node
    node.kill()
    node.reinstall_os()
    node.start()
    stage.pin_new_host_key()
    story.append("its system is gone, its pool is not")
    return Right("importable")


def system_and_leg_gone(stage: Stage, rng: Random, story: list[str]) -> Right:
    node, leg = stage.drill.node, rng.choice(stage.drill.node.disks).serial
    node.kill()
    node.reinstall_os()
    node.lose_disk(leg)
    node.start()
    stage.pin_new_host_key()
    story.append(f"its system is gone, and {leg}, one leg of the mirror")
    return Right("importable", says="DEGRADED")


def leg_gone(stage: Stage, rng: Random, story: list[str]) -> Right:
    node, leg = stage.drill.node, rng.choice(stage.drill.node.disks).serial
    node.kill()
    node.lose_disk(leg)
    node.start()
    story.append(f"{leg} is gone, one leg of the mirror")
    return Right("intact", says="DEGRADED")


def power_cut(stage: Stage, rng: Random, story: list[str]) -> Right:
    stage.drill.node.kill()
    stage.drill.node.start()
    story.append("a power cut")
    return Right("intact")


def another_pool(stage: Stage, rng: Random, story: list[str]) -> Right:
    """A machine with somebody's pool of that very name: exported, or in use."""
    serials = new_serials(stage.drill.node.name, 2)
    replaced(stage, (*(DiskSpec(serial, 4 * GB) for serial in serials), DiskSpec("THEIRS", GB)))
    export = rng.random() < 0.5
    stage.node(f"zpool create -m none tank {BY_ID}THEIRS && zfs create -o mountpoint=none tank/theirs")
    if export:
        stage.node("zpool export tank")
    story.append(f"its disks are gone; the new machine has a pool tank of somebody else, {'not ' * export}imported")
    return Right("foreign", refused="not the recorded one", untouched=("THEIRS",))


LOSSES: tuple[tuple[int, Loss], ...] = (
    (5, disks_gone),
    (2, system_gone),
    (1, system_and_leg_gone),
    (1, leg_gone),
    (1, power_cut),
    (2, another_pool),
)


def old_one(stage: Stage, story: list[str]) -> Right:
    """The lost machine comes back, with its disks, after another one has taken its place."""
    node = stage.drill.node
    node.kill()
    shutil.rmtree(node.folder)
    shutil.copytree(stage.folder / node.name, node.folder)
    stage.lab.write_ssh_files()
    node.start()
    stage.pin_new_host_key()
    story.append("then: the old machine comes back in the new one's place")
    return Right("superseded", refused="epoch", untouched=tuple(disk.serial for disk in node.disks))


def replaced(stage: Stage, disks: tuple[DiskSpec, ...]) -> None:
    """Another machine in its place, and its host key with the operator."""
    node = stage.drill.node
    node.kill()
    node.replace(disks)
    node.start()
    stage.pin_new_host_key()


def clock_off(machine: Machine, rng: Random, story: list[str]) -> None:
    off = rng.choice(CLOCKS)
    machine.set_clock(off)
    story.append(f"the clock of {machine.name} is {abs(off)} s {'slow' if off < 0 else 'fast'}")


def replicas(stage: Stage) -> set[str]:
    """guids of all snapshots that the vault has of the node."""
    return set(stage.vault(f"zfs list -Hp -r -t snapshot -o guid {REPLICAS}").split())


def labels(stage: Stage, serials: tuple[str, ...]) -> dict[str, str]:
    """What each of these disks, or its first partition, says that it holds: type, label, and whose it is by guid.

    Raises Wrong where one says nothing: then nothing could be told of it later.
    """
    read = (
        f"for d in {BY_ID}{{0}} {BY_ID}{{0}}-part1; do if [ -e $d ]; then blkid -p -o export $d; fi; done"
        " | grep -E '^(TYPE|LABEL|UUID|UUID_SUB)=' || :"
    )
    found = {serial: stage.node(read.format(serial)) for serial in serials}
    if not all(found.values()):
        raise Wrong(f"disks that should carry something say nothing: {found}")
    return found
