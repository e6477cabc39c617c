"""Of several vaults, whose word counts: the highest epoch, what is open, the freshest replicas. Pure.

The chosen one must answer for everything. The others are told what they can be told; none of them is passed over
without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from blackstart.reading import ABSENT, Absent, Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import DatasetRecord, Record
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


def choose(readings: Mapping[str, VaultReading], node: str, prefer: str = "") -> tuple[str, Reading[Record]]:
    """(vault, the record of `node`: its own, with what others know beside). A silent vault never makes a node new.

    `prefer`: the vault that a person named. No vault at all: the record is unknown.
    """
    records = {vault: record_on(reading, node) for vault, reading in sorted(readings.items())}
    found = {vault: each.value for vault, each in records.items() if isinstance(each, Present)}
    if prefer:
        why = _not_preferred(prefer, records, found)
        return (prefer, Unknown(why)) if why else (prefer, Present(_together(readings, found, prefer)))
    if found:
        vault = max(
            found,
            key=lambda name: (
                found[name].epoch,
                _pending(found[name]),
                _freshest(readings[name], node),
                name,
            ),
        )
        return vault, Present(_together(readings, found, vault))
    silent = [f"{vault}: {each.why}" for vault, each in records.items() if isinstance(each, Unknown)]
    if silent:
        return "", Unknown("; ".join(silent))
    if any(isinstance(each, Absent) for each in records.values()):
        return "", ABSENT
    return "", Unknown(f"the spec names no vault that keeps {node}")


def no_keeper(name: str, those: Collection[str]) -> str:
    """What is said of a vault that was named and does not keep the node. `those`: the ones that do."""
    return f"{name} is no vault that keeps it; those are {', '.join(those) or 'none'}"


def _not_preferred(prefer: str, records: Mapping[str, Reading[Record]], found: Mapping[str, Record]) -> str:
    """Why the named vault cannot be the one whose word counts; "" when it can."""
    said = records.get(prefer)
    if said is None:
        return no_keeper(prefer, records)
    if isinstance(said, Unknown):
        return f"{prefer}: {said.why}"
    if isinstance(said, Absent):
        return f"{prefer} has no record of it"
    ahead = max(found, key=lambda name: found[name].epoch)
    if found[ahead].epoch > found[prefer].epoch:
        return f"{prefer} knows epoch {found[prefer].epoch} only, {ahead} knows {found[ahead].epoch}"
    return ""


def _together(readings: Mapping[str, VaultReading], found: Mapping[str, Record], chosen: str) -> Record:
    """The chosen vault's record, with the newest spec that was applied, and with what arrived only elsewhere.

    A dataset that another vault alone holds has arrived: it is lost when the node lacks it, and never made empty.
    """
    record = found[chosen]
    peers = [each for each in found.values() if each.epoch == record.epoch]
    applied = max((each.applied for each in peers if each.applied), key=lambda each: each.at, default=None)
    datasets = {name: replace(known, snapshot="", guid="") for each in peers for name, known in each.datasets.items()}
    datasets |= record.datasets
    for name, known in datasets.items():
        if known.guid or known.retired:
            continue
        vault = holder(readings, record.node, name, chosen)
        if vault:
            replica = _replicas(readings[vault], record.node)[name]
            newest = replica.snapshots[-1]
            datasets[name] = DatasetRecord(replica.encrypted, newest.name, newest.guid, newest.creation)
        else:
            datasets[name] = _unseen(readings, found, name) or known
    return replace(record, applied=applied, datasets=datasets)


def _unseen(readings: Mapping[str, VaultReading], found: Mapping[str, Record], name: str) -> DatasetRecord | None:
    """What a vault has written down of a dataset, where its replicas could not be read: that is not their absence."""
    for vault, record in found.items():
        known = record.datasets.get(name)
        if known and known.guid and isinstance(replicas_on(readings[vault], record.node), Unknown):
            return known
    return None


def holder(readings: Mapping[str, VaultReading], node: str, dataset: str, chosen: str) -> str:
    """The vault that a dataset can come back from: the chosen one, else the freshest that has it; "" for none."""
    ages: dict[str, int] = {}
    for vault, reading in sorted(readings.items()):
        replica = _replicas(reading, node).get(dataset)
        if replica and replica.snapshots:
            ages[vault] = replica.snapshots[-1].taken
    return chosen if chosen in ages else max(ages, key=lambda vault: ages[vault], default="")


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


def _replicas(reading: VaultReading, node: str) -> dict[str, Replica]:
    found = replicas_on(reading, node)
    return found.value if isinstance(found, Present) else {}


def _pending(record: Record) -> int:
    """Whether something is begun here that nobody else would go on with; the more it has made, the higher.

    3: a rebuild that has made pools. 2: one that has not. 1: what follows a restore is not done. 0: nothing. Two
    vaults may each have begun something while the other was silent.
    """
    if record.rebuild:
        return 3 if record.rebuild.pools else 2
    return 1 if record.unfinished else 0


def _freshest(reading: VaultReading, node: str) -> int:
    return max((snapshot.taken for each in _replicas(reading, node).values() for snapshot in each.snapshots), default=0)
