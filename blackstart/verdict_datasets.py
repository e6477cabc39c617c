"""The verdict per dataset where the pools are there: on the vault and absent on the pool is lost. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import WantedDataset
from blackstart.vault.record import ON_VAULT_ONLY, Record

DatasetKind = Literal[
    "there",
    "lost",  # a snapshot of it is on the vault, and the pool does not have it: only a restore may bring it back
    "retired",  # put aside by a person's word: the pool does not have it under its name, and that is as it should be
    "unsaved",  # the record names it, but nothing of it ever arrived on a vault
    "unknown",
]


@dataclass(frozen=True, slots=True)
class DatasetVerdict:
    dataset: str
    kind: DatasetKind
    why: str
    next_command: str = ""


def restore_command(node: str, dataset: str) -> str:
    return shell("blackstart", "restore", f"{node}/{dataset}")


def judge_datasets(record: Record, live: Live) -> dict[str, DatasetVerdict]:
    """One verdict per dataset that the record names. No deploy may create a "lost" or "unknown" one."""
    verdicts = {}
    for name, known in record.datasets.items():
        if isinstance(live.datasets, Unknown):
            why = f"{name}: datasets could not be read: {live.datasets.why}"
            verdicts[name] = DatasetVerdict(name, "unknown", why, shell("blackstart", "why", record.node))
        elif isinstance(live.datasets, Present) and name in live.datasets.value:
            verdicts[name] = DatasetVerdict(name, "there", f"{name} is there")
        elif known.retired:
            verdicts[name] = _retired(record.node, name, known.retired)
        elif known.guid:
            why = f"{name} is gone from the pool, the vault has it (@{known.snapshot})"
            verdicts[name] = DatasetVerdict(name, "lost", why, restore_command(record.node, name))
        else:
            verdicts[name] = DatasetVerdict(name, "unsaved", f"{name} is not there and never arrived on a vault")
    return verdicts


def _retired(node: str, name: str, aside: str) -> DatasetVerdict:
    """Should the spec want it again: a new one under that name would bury what the vaults hold."""
    if aside == ON_VAULT_ONLY:
        why = f"{name} was retired when {node} no longer had it; only the vault does: give the new one another name"
        return DatasetVerdict(name, "retired", why, shell("blackstart", "why", node))
    why = f"{name} was retired, and is {aside} on {node}: rename it back there, or give the new one another name"
    return DatasetVerdict(name, "retired", why, shell("zfs", "rename", aside, name))


def wanted_again(record: Record, live: Live, wanted: Collection[str]) -> tuple[DatasetVerdict, ...]:
    """Retired datasets that the spec has again, and the pool not: no deploy may create them empty."""
    judged = judge_datasets(record, live).values()
    return tuple(verdict for verdict in judged if verdict.kind == "retired" and verdict.dataset in wanted)


def lost(record: Record, live: Live) -> tuple[DatasetVerdict, ...]:
    """The datasets that only a restore may bring back."""
    return tuple(verdict for verdict in judge_datasets(record, live).values() if verdict.kind == "lost")


def not_to_be_made(
    record: Record, live: Live, wanted: Mapping[str, WantedDataset], coming: Collection[str]
) -> DatasetVerdict | None:
    """The first wanted dataset that a run would make empty although it may not; `coming`: those that it restores."""
    for each in judge_datasets(record, live).values():
        item = wanted.get(each.dataset)
        if item is None or not item.replicate or each.dataset in coming:
            continue
        if each.kind in ("lost", "retired", "unknown"):
            return each
    return None
