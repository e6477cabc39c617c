"""What one run of bootstrap.py or restore.py works with, and what is wanted before the data is there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.spec.node import Pool, Vdev
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault.record import Record, Unfinished
from blackstart.verdict import Verdict
from blackstart.verdict_disks import replaced


@dataclass(frozen=True, slots=True)
class Asks:
    """What the command line said with --data."""

    disks: dict[str, str] = field(default_factory=dict)
    at: str = ""
    plan_only: bool = False
    abandon: bool = False
    dataset: str = ""  # restore.py: this one alone
    vault: str = ""  # from this vault, where a person has to choose
    without: tuple[str, ...] = ()  # datasets that stay away for now


@dataclass(frozen=True, slots=True)
class Job:
    """`spec`: as last applied, with replaced members. `working`: the fleet's files. `vault`: whose word counts.

    `folder`: the operator's own, for keys. `tree`: the fleet's files as of the commit that was applied.
    `sources`: vaults to ask for what this machine has not. `unfinished`: what an earlier run left to be done.
    `signs`: vault -> the sign of the node's lock there (vault/lock.py) from before all else of this was read.
    """

    spec: NodeSpec
    working: NodeSpec
    wanted: Wanted
    verdict: Verdict
    asks: Asks
    vault: str
    vault_pool: str
    folder: Path
    by: str
    commit: str
    tree: Path
    sources: tuple[str, ...]
    unfinished: Unfinished | None = None
    signs: Mapping[str, str] = field(default_factory=dict)


def with_disks(spec: NodeSpec, disks: Mapping[str, str]) -> NodeSpec:
    """The spec with its pools' members exchanged: what the record holds once the node was rebuilt on them."""
    pools = {name: replaced(pool, disks) for name, pool in spec.node.pools.items()}
    return spec.model_copy(update={"node": spec.node.model_copy(update={"pools": pools})})


def without(wanted: Wanted, datasets: Collection[str]) -> Wanted:
    """What can be made before `datasets` are back: nothing of theirs, and no container that would run without them."""
    return replace(
        wanted,
        datasets={name: each for name, each in wanted.datasets.items() if name not in datasets},
        containers={name: each for name, each in wanted.containers.items() if each.rootfs not in datasets},
        delegations={name: each for name, each in wanted.delegations.items() if name not in datasets},
    )


def kept(job: Job, record: Record, live: Live) -> frozenset[str]:
    """Datasets of pools that were not lost: where one pool of several is made again, the others' data is newer.

    A pool that will be imported cannot be looked into yet; what it turns out to lack is refused after the import.
    """
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    datasets = live.datasets.value if isinstance(live.datasets, Present) else {}
    survived = {name for name, pool in pools.items() if name in record.pools and record.pools[name].guid == pool.guid}
    coming = {
        name for name, guid in job.verdict.imports.items() if name in record.pools and record.pools[name].guid == guid
    }
    there = {name for name in datasets if name.split("/")[0] in survived}
    return frozenset(there | {each.name for each in wanted_datasets(job.spec) if each.name.split("/")[0] in coming})


def room(pools: Mapping[str, Pool], live: Live) -> dict[str, int]:
    """Bytes that each pool has free, or will have once it is made (a little less: labels, metadata)."""
    found = {name: pool.free for name, pool in live.pools.value.items()} if isinstance(live.pools, Present) else {}
    return {name: sum(map(_usable, pool.vdevs)) for name, pool in pools.items()} | found


def _usable(vdev: Vdev) -> int:
    if vdev.role != "data":
        return 0
    sizes = [member.size for member in vdev.members]
    if vdev.type == "disk":
        return sum(sizes)
    if vdev.type == "mirror":
        return min(sizes)
    return min(sizes) * max(0, len(sizes) - int(vdev.type.removeprefix("raidz")))
