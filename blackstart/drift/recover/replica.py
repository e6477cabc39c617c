"""Has every dataset arrived on every vault, young enough, held, and would the plan of a rebuild take it? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.live.script import unknown
from blackstart.reading import Absent, Present, Unknown
from blackstart.restore.job import room
from blackstart.restore.keeper import holder, record_on, replicas_on
from blackstart.restore.outline import Means, Outline, outline, say_age
from blackstart.restore.whole import damaged_on, refuse_damaged
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.freshness import Age, freshness
from blackstart.vault.records import Replica, ReplicaSnapshot, VaultReading


def replicated(about: About) -> list[str]:
    """The datasets that are to be on the vaults, in order of name."""
    return [item.name for item in wanted_datasets(about.spec) if item.replicate]


def replicas(about: About) -> Iterator[Finding]:
    """Vault by vault; the plan is made with the one that a rebuild would choose."""
    for vault, reading in about.vaults.items():
        found = replicas_on(reading, about.node)
        if isinstance(found, Unknown):
            yield about.unread("replica", about.node, f"on {vault}", found.why, shell("blackstart", "why", vault))
            continue
        if isinstance(record_on(reading, about.node), Absent):
            continue  # nothing can have arrived: what to do about that is said of the record
        if isinstance(reading.damage, Unknown):
            yield about.unread("replica", about.node, f"damage on {vault}", reading.damage.why)
        have = found.value if isinstance(found, Present) else {}
        planned = _said(plan(about, vault, reading)) if vault == about.case.vault else {}
        yield from _arrived(about, vault, reading, have, planned)
        yield from _planned(about, vault, planned)


def _arrived(
    about: About, vault: str, reading: VaultReading, have: Mapping[str, Replica], planned: Mapping[str, str]
) -> Iterator[Finding]:
    assert isinstance(reading.clock, Present)  # it answers
    snapshots = {name: each.snapshots for name, each in have.items()}
    now, rpo, then = reading.clock.value, about.spec.replication.rpo, shell("blackstart", "replicate", about.node)
    failed = _failed(about, reading)
    held = {name: tuple(each for each in found if each.holds) for name, found in snapshots.items()}
    kept = {age.dataset: age for age in _ages(replicated(about), held, now, rpo)}
    for age in _ages(replicated(about), snapshots, now, rpo):
        name, said = age.dataset, f"; the last try: {failed[age.dataset]}" if age.dataset in failed else ""
        if age.state == "missing" and name not in planned:
            why = f"nothing of it has arrived, it would come back empty{said}"
            yield about.lacks("replica", name, f"age on {vault}", why, then)
        elif age.state == "stale":
            why = f"its newest snapshot there is older than the accepted loss of {say_age(rpo)}{said}"
            yield about.lacks("replica", name, f"age on {vault}", why, then, live=age.snapshot)
        elif age.state == "suspect":
            why = f"@{age.snapshot} is from the future by the clock of {vault}: how old it is, nobody knows"
            yield about.unread("replica", name, f"age on {vault}", why)
        if age.state != "missing" and kept[name].state == "missing":
            why = "no hold keeps it there: pruning, or a hand, could take it"
            yield about.lacks("replica", name, f"hold on {vault}", why, then)
        elif age.state != "stale" and kept[name].state == "stale":
            why = "what a hold keeps of it there is older than the accepted loss"
            yield about.lacks("replica", name, f"hold on {vault}", why, then, live=kept[name].snapshot)


def _ages(names: Iterable[str], have: Mapping[str, tuple[ReplicaSnapshot, ...]], now: int, rpo: int) -> list[Age]:
    return freshness(names, {name: [(s.name, s.creation) for s in found] for name, found in have.items()}, now, rpo)


def _failed(about: About, reading: VaultReading) -> Mapping[str, str]:
    notes = reading.notes.value.get(about.node) if isinstance(reading.notes, Present) else None
    return notes.failed if notes else {}


def plan(about: About, vault: str, reading: VaultReading) -> Outline | None:
    """The plan of a rebuild by `vault`, on blank disks of the spec's own sizes; None where it cannot be made."""
    found = replicas_on(reading, about.node)
    if about.record is None or not isinstance(reading.clock, Present) or isinstance(found, Unknown):
        return None
    held = {name: holder(about.case.vaults, about.node, name, vault) for name in replicated(about)}
    blank = {name: pool for name, pool in about.spec.node.pools.items() if pool.managed}
    means = Means(
        now=reading.clock.value,
        free=room(blank, unknown("it died")),
        elsewhere={name: other for name, other in held.items() if other not in ("", vault)},
    )
    have = found.value if isinstance(found, Present) else {}
    made = outline(about.spec, about.record, have, means, about.record.epoch + 1)
    refuse_damaged(made, have, damaged_on(reading, about.node))
    for name in made.damaged:  # its newest snapshot is another one at each look
        made.about[name] = ["its newest snapshot is damaged on the vault's disk: a rebuild would go back further"]
    return made


def _said(made: Outline | None) -> dict[str, str]:
    """Dataset or pool -> what the plan has against it."""
    return {
        name: "; ".join(each.removeprefix(f"{name}: ").removeprefix(f"pool {name} ") for each in said)
        for name, said in (made.about if made else {}).items()
    }


def _planned(about: About, vault: str, planned: Mapping[str, str]) -> Iterator[Finding]:
    for name, why in planned.items():
        if name in about.spec.node.pools:
            remedy = f"larger disks; then a larger `size` of its members in nodes/{about.node}.toml"
            yield about.lacks("pool", name, "size", f"new disks of its least size would not do: it {why}", remedy)
        else:
            yield about.lacks("replica", name, f"plan with {vault}", why, shell("blackstart", "replicate", about.node))
