"""Of several vaults, whose word counts: the highest epoch, what is open, the freshest replicas. Pure.

The chosen one must answer for everything. The others are told what they can be told; none of them is passed over
without a word.
"""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.reading import ABSENT, Absent, Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.vault.records import Replica, VaultReading


def keepers(spec: NodeSpec) -> dict[str, str]:
    """Vault -> its pool, of those that keep this node's record. A fleet's only vault keeps its own."""
    found = {name: node.vault.pool for name, node in spec.vaults.items() if node.vault}
    if not found and spec.node.vault:
        found = {spec.name: spec.node.vault.pool}
    return found


def record_on(reading: VaultReading, node: str) -> Reading[Record]:
    """What one vault says of a node."""
    if not isinstance(reading.records, Present):
        return reading.records
    return reading.records.value.get(node, ABSENT)


def replicas_on(reading: VaultReading, node: str) -> Reading[dict[str, Replica]]:
    """What one vault holds of a node."""
    if not isinstance(reading.replicas, Present):
        return reading.replicas
    return Present(reading.replicas.value.get(node, {}))


def choose(readings: Mapping[str, VaultReading], node: str) -> tuple[str, Reading[Record]]:
    """(vault, its record of `node`). A vault that did not answer never makes a node new.

    No vault at all: the record is unknown.
    """
    records = {vault: record_on(reading, node) for vault, reading in sorted(readings.items())}
    found = [
        (each.value.epoch, each.value.rebuild is not None, _freshest(readings[vault], node), vault)
        for vault, each in records.items()
        if isinstance(each, Present)
    ]
    if found:
        vault = max(found)[-1]
        return vault, records[vault]
    silent = [f"{vault}: {each.why}" for vault, each in records.items() if isinstance(each, Unknown)]
    if silent:
        return "", Unknown("; ".join(silent))
    if any(isinstance(each, Absent) for each in records.values()):
        return "", ABSENT
    return "", Unknown(f"the spec names no vault that keeps {node}")


def doubts(readings: Mapping[str, VaultReading], node: str, chosen: str) -> tuple[str, ...]:
    """One line per vault that cannot confirm what the chosen one says: silent, never set up, or of another mind."""
    counts = record_on(readings[chosen], node) if chosen else ABSENT
    if not isinstance(counts, Present):
        return ()
    lines = (
        _doubt(vault, reading, counts.value, chosen) for vault, reading in sorted(readings.items()) if vault != chosen
    )
    return tuple(line for line in lines if line)


def _doubt(vault: str, reading: VaultReading, counts: Record, chosen: str) -> str:
    said = record_on(reading, counts.node)
    if isinstance(said, Unknown):
        return (
            f"vault {vault} is silent ({said.why}): should it hold an epoch above {chosen}'s {counts.epoch}, nobody "
            f"here knows; it learns the epoch and the record at the next run that reaches it"
        )
    if isinstance(reading.records, Absent):
        return f"vault {vault} was never set up: {counts.node} is not kept there; run deploys/vault.py"
    if isinstance(said, Absent) or said.value.epoch != counts.epoch:
        return ""
    for name, pool in said.value.pools.items():
        if name in counts.pools and counts.pools[name].guid != pool.guid:
            return (
                f"vault {vault} gives epoch {counts.epoch} to another pool {name} (guid {pool.guid}): {counts.node} "
                f"was rebuilt twice, by vaults that did not see each other; {chosen} counts, its replicas are fresher"
            )
    return ""


def _freshest(reading: VaultReading, node: str) -> int:
    replicas = replicas_on(reading, node)
    if not isinstance(replicas, Present):
        return 0
    return max((snapshot.creation for each in replicas.value.values() for snapshot in each.snapshots), default=0)
