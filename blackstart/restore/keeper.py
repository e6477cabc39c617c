"""Of several vaults, whose word counts: the highest epoch, and then the freshest replicas. Pure."""

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
        (each.value.epoch, _freshest(readings[vault], node), vault)
        for vault, each in records.items()
        if isinstance(each, Present)
    ]
    if found:
        vault = max(found)[2]
        return vault, records[vault]
    silent = [f"{vault}: {each.why}" for vault, each in records.items() if isinstance(each, Unknown)]
    if silent:
        return "", Unknown("; ".join(silent))
    if any(isinstance(each, Absent) for each in records.values()):
        return "", ABSENT
    return "", Unknown(f"the spec names no vault that keeps {node}")


def _freshest(reading: VaultReading, node: str) -> int:
    replicas = replicas_on(reading, node)
    if not isinstance(replicas, Present):
        return 0
    return max((snapshot.creation for each in replicas.value.values() for snapshot in each.snapshots), default=0)
