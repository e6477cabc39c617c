"""What is so, whoever sees it: disks, the pools on them, vaults and what they hold; and what ZFS lets happen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from blackstart.spec.node import Vdev
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Applied, Record

NOW = 1_790_000_000
POOL = "pool:"  # what a disk holds, followed by the guid


class Wrong(Exception):
    """What was about to happen must never happen, in one sentence."""


class Refused(Exception):
    """A run cannot go on: why, and what to type next."""


class Killed(Exception):
    """A run was ended from outside."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    name: str
    guid: str
    creation: int


@dataclass(slots=True)
class Dataset:
    """`mark`: what a restore wrote on it. `token`: it was received in part."""

    snapshots: list[Snapshot] = field(default_factory=list)
    encrypted: bool = False
    mark: str = ""
    token: str = ""


@dataclass(slots=True)
class Pool:
    """`owner` and `epoch` (the last one that it lived in) are the truth; `comment` is what it says of itself.

    `datasets` by full name.
    """

    name: str
    guid: str
    owner: str
    epoch: int
    comment: str
    vdevs: tuple[Vdev, ...]
    datasets: dict[str, Dataset] = field(default_factory=dict)


@dataclass(slots=True)
class Disk:
    """A disk, or the partition that is meant for a pool. `holds`: "" (blank), POOL and a guid, or a signature."""

    id: str
    size: int
    part: bool = False
    holds: str = ""
    readable: bool = True


@dataclass(slots=True)
class Vault:
    """`says`: why it does not answer, "" where it does. `replicas`: the node's dataset -> what arrived, oldest first.

    `clock`: seconds that it is ahead of the world. `aside`: replicas that were put aside. `forged`: datasets under
    whose name it has something else. `pool`: where it keeps all that.
    """

    name: str
    record: Record | None
    replicas: dict[str, list[Snapshot]] = field(default_factory=dict)
    says: str = ""
    set_up: bool = True
    torn: bool = False
    unread_replicas: bool = False
    clock: int = 0
    aside: list[list[Snapshot]] = field(default_factory=list)
    forged: set[str] = field(default_factory=set)
    pool: str = "bank"


@dataclass(slots=True)
class World:
    """One node (`name`), its machine and its vaults.

    `lives`: pool -> guid of the one that is the node's now, wherever it is. `old`: pools that were replaced.
    `chains`: dataset -> its snapshots up to the loss: what may come back. `pools`: all there are, by guid.
    `unread`: parts of the machine's reading that fail. `lost_keys`: encrypted datasets whose key is not at hand.
    """

    name: str
    spec: NodeSpec  # as last applied
    working: NodeSpec  # the fleet's files
    epoch: int
    disks: dict[str, Disk]
    pools: dict[str, Pool]
    lives: dict[str, str]
    old: list[str]
    chains: dict[str, list[Snapshot]]
    vaults: dict[str, Vault]
    numbers: Iterator[int]
    imported: set[str] = field(default_factory=set)
    tools: bool = True
    unread: set[str] = field(default_factory=set)
    lost_keys: set[str] = field(default_factory=set)
    given: dict[str, str] = field(default_factory=dict)  # --data disks
    at: str = ""  # --data at
    without: tuple[str, ...] = ()  # --data without
    born: set[str] = field(default_factory=set)  # datasets that were made empty
    applied: Applied | None = None  # as each vault that knows of it has it
    story: list[str] = field(default_factory=list)

    def guid(self) -> str:
        """One that nothing has yet."""
        return str(next(self.numbers))

    def here(self, guid: str) -> set[str]:
        """The disks of this machine that hold a part of the pool."""
        return {disk.id for disk in self.disks.values() if disk.holds == POOL + guid}

    def on_disks(self) -> list[Pool]:
        """Pools of which this machine has at least one disk."""
        held = {disk.holds.removeprefix(POOL) for disk in self.disks.values() if disk.holds.startswith(POOL)}
        return [self.pools[guid] for guid in sorted(held | self.imported)]

    def state(self, pool: Pool) -> str:
        """ONLINE, DEGRADED, or UNAVAIL: too few legs are here."""
        here, worst = self.here(pool.guid), "ONLINE"
        for vdev in pool.vdevs:
            missing = sum(member.id not in here for member in vdev.members)
            spare = {"disk": 0, "mirror": len(vdev.members) - 1}.get(vdev.type)
            if missing > (int(vdev.type.removeprefix("raidz")) if spare is None else spare):
                return "UNAVAIL"
            worst = "DEGRADED" if missing else worst
        return worst

    def unheard(self) -> list[Vault]:
        """Vaults of which neither record nor replicas can be had."""
        return [each for each in self.vaults.values() if each.says or (each.torn and each.unread_replicas)]

    def unreadable(self) -> set[str]:
        """Parts of a reading that fail: those that are made to, and what ZFS says of none while one pool hangs."""
        hangs = any(self.state(self.pools[guid]) == "UNAVAIL" for guid in self.imported)
        return self.unread | ({"datasets", "snapshots"} if hangs else set())

    def imported_as(self, name: str) -> Pool | None:
        """The imported pool of that name."""
        return next((self.pools[guid] for guid in self.imported if self.pools[guid].name == name), None)
