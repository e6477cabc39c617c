"""How old all that this vault holds is, by one look at its snapshots."""

from __future__ import annotations

from pathlib import Path

from blackstart.vault import config
from blackstart.vault.freshness import Age, freshness
from blackstart.vault.zfs import Snapshot, snapshots


def ages(folder: Path, now: int) -> dict[str, list[Age]]:
    """Node -> its datasets' ages; `folder` holds what is pulled from each (config.Replication).

    Raises CommandError, ValueError, OSError.
    """
    wishes = [config.load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    found = [each for pool in sorted({each.pool for each in wishes}) for each in snapshots(f"{pool}/vault/replicas")]
    have: dict[str, list[tuple[str, int]]] = {}
    for snapshot in found:
        have.setdefault(_of_node(snapshot), []).append((snapshot.name, snapshot.creation))
    return {
        each.node: freshness(
            each.datasets, {name: have.get(f"{each.node}/{name}", []) for name in each.datasets}, now, each.rpo
        )
        for each in wishes
    }


def _of_node(snapshot: Snapshot) -> str:
    """`NODE/DATASET` of a replica `POOL/vault/replicas/NODE/DATASET`."""
    return snapshot.dataset.partition("/vault/replicas/")[2]
