"""A snapshot that the vault's disk does not give back is no choice: what is offered in its place. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping

from blackstart.reading import Present
from blackstart.restore.at import choose
from blackstart.restore.keeper import replicas_on
from blackstart.restore.outline import Outline
from blackstart.vault import layout
from blackstart.vault.records import Replica, ReplicaSnapshot, VaultReading


def damaged_on(reading: VaultReading, node: str) -> Mapping[str, str]:
    """Guid -> why it cannot be read there, as far as is known."""
    return reading.damage.value.get(node, {}) if isinstance(reading.damage, Present) else {}


def put_aside_on(reading: VaultReading, node: str, pool: str) -> dict[str, str]:
    """Dataset -> the name of its replica on that vault's `pool` that was damaged and made way (vault/whole.py)."""
    nodes = reading.replicas.value if isinstance(reading.replicas, Present) else {}
    return {
        dataset: layout.replica(pool, name, dataset)
        for name, found in sorted(nodes.items())
        if name.startswith(f"{node}.damaged-")
        for dataset, replica in found.items()
        if replica.snapshots
    }


def refuse_damaged(made: Outline, replicas: Mapping[str, Replica], damaged: Mapping[str, str]) -> None:
    """Refuse what was chosen and is damaged; `made.offer` is then what to ask for with --at: one state of all."""
    bad = [each for each in made.chosen if each.snapshot.guid in damaged]
    if not bad:
        return
    made.offer = _offer(made, replicas, damaged, min(each.snapshot.taken for each in bad))
    for each in bad:
        name, snapshot = each.dataset, each.snapshot
        before = choose(replicas[name].snapshots, made.offer) if made.offer else None
        then = (
            f"@{before.name} is whole, as far as is known" if before else "no older state of all is known to be whole"
        )
        why = f"{name}: @{snapshot.name} is damaged on the vault's disk ({damaged[snapshot.guid]}); {then}"
        made.refuse(name, why)
        made.damaged.append(name)


def _offer(made: Outline, replicas: Mapping[str, Replica], damaged: Mapping[str, str], latest: int) -> str:
    """The newest name, else time, at which every chosen dataset has a snapshot that is not damaged; "" for none."""
    every = [each for item in made.chosen for each in replicas[item.dataset].snapshots if each.taken <= latest]
    every.sort(key=lambda each: each.taken, reverse=True)
    times = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.taken)) for each in every)
    for at in (*dict.fromkeys(each.name for each in every), *dict.fromkeys(times)):
        found = [choose(replicas[item.dataset].snapshots, at) for item in made.chosen]
        if all(each is not None and each.guid not in damaged for each in found):
            return at
    return ""


def whole_elsewhere(made: Outline, readings: Mapping[str, VaultReading], here: str) -> str:
    """Another vault whose newest of all that comes back is whole; "" for none."""
    for vault, reading in sorted(readings.items()):
        found = replicas_on(reading, made.node)
        if vault == here or not isinstance(found, Present):
            continue
        newest = {item.dataset: _newest(found.value.get(item.dataset)) for item in made.chosen}
        bad = damaged_on(reading, made.node)
        if all(each is not None and each.guid not in bad for each in newest.values()):
            return vault
    return ""


def _newest(replica: Replica | None) -> ReplicaSnapshot | None:
    return replica.snapshots[-1] if replica and replica.snapshots else None
