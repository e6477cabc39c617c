"""What a rebuild would bring back, out of all that was read: the vaults, the node, the keys at hand. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import NOT_ASKED, Present, Unknown
from blackstart.restore.job import Job, kept, room
from blackstart.restore.keeper import holder, replicas_on
from blackstart.restore.outline import Means, Outline, outline
from blackstart.restore.whole import damaged_on, put_aside_on, refuse_damaged, whole_elsewhere
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.verdict_shape import bootstrap_command


def planned(
    job: Job,
    record: Record,
    readings: Mapping[str, VaultReading],
    now: Live,
    *,
    clock: int,
    keys: Mapping[str, str],
    epoch: int,
) -> Outline:
    """`readings`: of every vault; `job.vault` restores. `now`: of the node, its pools and datasets at least.

    `clock`: the vault's, seconds since 1970. `keys`: encrypted dataset -> why its key is not at hand.
    """
    replicas = replicas_on(readings[job.vault], job.spec.name)
    stays = kept(job, record, now) if not job.asks.dataset else frozenset()
    only = {job.asks.dataset} if job.asks.dataset else None
    elsewhere, other_way = _other_vaults(job, readings)
    # For a rebuild that goes on, what is back or on its way needs no room a second time.
    there = frozenset(now.datasets.value) if isinstance(now.datasets, Present) else frozenset()
    unheard = [name for name, said in readings.items() if isinstance(replicas_on(said, job.spec.name), Unknown)]
    aside = put_aside_on(readings[job.vault], job.spec.name, job.vault_pool)
    means = Means(clock, keys, room(job.verdict.create, now), there, stays, elsewhere, other_way, unheard, aside)
    held = replicas.value if isinstance(replicas, Present) else {}
    made = outline(job.spec, record, held, means, epoch, job.asks.at, only, job.asks.without)
    refuse_damaged(made, held, damaged_on(readings[job.vault], job.spec.name))
    damage = readings[job.vault].damage
    if isinstance(damage, Unknown) and damage is not NOT_ASKED:
        made.warnings.append(f"whether {job.vault} could read its replicas is not known: {damage.why}")
    if made.damaged and len(made.refusals) == len(made.damaged):
        made.next_command = _whole_way(job, made, readings)
    if isinstance(now.pools, Present) and isinstance(now.datasets, Unknown):
        made.refusals.insert(0, f"the datasets that are there could not be read: {now.datasets.why}")
        made.next_command = shell("blackstart", "why", job.spec.name)
    if not isinstance(replicas, Present):
        made.refusals.insert(0, f"the replicas on {job.vault} could not be read: {getattr(replicas, 'why', 'absent')}")
        made.next_command = shell("blackstart", "why", job.spec.name)
    if made.refusals and made.next_command == shell("blackstart", "why", job.spec.name) and not job.asks.dataset:
        _go_without(job, made)
    return made


def _go_without(job: Job, made: Outline) -> None:
    """Where single datasets are all that stands against it, and there are others: the command that leaves those out."""
    replicated = [item.name for item in wanted_datasets(job.spec) if item.replicate]
    hindered = [name for name in replicated if any(why in made.refusals for why in made.about.get(name, ()))]
    explained = {why for name in hindered for why in made.about[name]}
    # What lies below one cannot come back without it.
    left = {name for name in replicated for above in hindered if f"{name}/".startswith(f"{above}/")}
    if set(made.refusals) <= explained and {each.dataset for each in made.chosen} - left:
        made.hindered = tuple(sorted(left))
        made.next_command = _again(job, without=",".join(sorted({*job.asks.without, *left})))


def _again(job: Job, **other: str) -> str:
    """bootstrap.py's line with what was asked, but for `other`."""
    disks = ",".join(f"{old}={new}" for old, new in job.verdict.disks.items())
    asked = {"disks": disks, "at": job.asks.at, "vault": job.asks.vault, "without": ",".join(job.asks.without)}
    return bootstrap_command(job.spec.name, **{key: value for key, value in (asked | other).items() if value})


def _whole_way(job: Job, made: Outline, readings: Mapping[str, VaultReading]) -> str:
    """The command that brings back what is whole: the newest of another vault, else what is offered of this one."""
    node, dataset = job.spec.name, job.asks.dataset
    other = "" if dataset or job.asks.at else whole_elsewhere(made, readings, job.vault)
    if dataset and made.offer:
        return shell("blackstart", "restore", f"{node}/{dataset}", "--at", made.offer)
    if not other and not made.offer:
        return shell("blackstart", "why", node)
    return _again(job, vault=other, at="") if other else _again(job, at=made.offer)


def _other_vaults(job: Job, readings: Mapping[str, VaultReading]) -> tuple[dict[str, str], str]:
    """What the restoring vault lacks and another has, and the command that takes all from one that lacks none."""
    node = job.spec.name
    left = job.asks.without
    replicated = [item.name for item in wanted_datasets(job.spec) if item.replicate and item.name not in left]
    held = {name: holder(readings, node, name, job.vault) for name in replicated}
    elsewhere = {name: vault for name, vault in held.items() if vault not in ("", job.vault)}
    arrived = {name for name, vault in held.items() if vault}
    for vault in sorted(set(elsewhere.values())):
        if all(holder(readings, node, name, vault) == vault for name in arrived):
            return elsewhere, _again(job, vault=vault)
    return elsewhere, ""
