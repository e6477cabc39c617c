"""What a restore would bring back, from which snapshots, how old they are, and what it would not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from blackstart.change import shell
from blackstart.restore import names
from blackstart.restore.at import choose
from blackstart.restore.leave import mistakes
from blackstart.spec.resolve import DERIVED, NodeSpec, WantedDataset, wanted_datasets
from blackstart.vault.record import DatasetRecord, Record
from blackstart.vault.records import Replica, ReplicaSnapshot

# Left free on a pool: one that is full to the brim cannot even delete.
_RESERVE = 0.05


@dataclass(frozen=True, slots=True)
class Chosen:
    """One dataset that comes back. `age`: seconds of data that are lost. `late`: more than the RPO accepts."""

    wanted: WantedDataset
    snapshot: ReplicaSnapshot
    age: int
    late: bool
    encrypted: bool
    newest: bool

    @property
    def dataset(self) -> str:
        return self.wanted.name


@dataclass
class Outline:
    """`left`: dataset -> why it does not come back. `refusals` forbid to begin, each with `next_command`.

    `about`: dataset or pool -> those of the refusals and warnings that are about its replica, key or room.
    `unheard`: vaults that could not be asked, and may have what is left.
    `damaged`: datasets whose chosen snapshot cannot be read; `offer`: what to ask for instead, with --at.
    `hindered`: the datasets without which all else could come back, by `next_command`.
    """

    node: str
    epoch: int
    at: str
    chosen: list[Chosen] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    next_command: str = ""
    about: dict[str, list[str]] = field(default_factory=dict)
    unheard: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)
    offer: str = ""
    hindered: tuple[str, ...] = ()

    def refuse(self, name: str, why: str) -> None:
        """It cannot begin because of this dataset or pool."""
        self.refusals.append(why)
        self.about.setdefault(name, []).append(why)

    @property
    def choice(self) -> str:
        """What a person may do beside mending what hinders; "" where there is no choice."""
        return f"mend that, or leave {', '.join(self.hindered)} out for now: all else comes back" * bool(self.hindered)

    @property
    def bytes(self) -> int:
        return sum(each.snapshot.referenced for each in self.chosen)


@dataclass(frozen=True, slots=True)
class Means:
    """What is at hand. `keys`: encrypted dataset -> why its key is not. `free`: pool -> bytes, where it is known.

    `there`: datasets that lie on the pools already. `kept`: those of a pool that was not lost; they stay as they are.
    `elsewhere`: datasets that only another vault than the one that restores has -> that vault. `other_way`: the command
    that restores all of them from one that has every dataset; "" where there is none. `unheard`: vaults whose replicas
    could not be read. `aside`: dataset -> where on the vault a damaged replica of it is kept.
    """

    now: int
    keys: Mapping[str, str] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    there: Collection[str] = ()
    kept: Collection[str] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    other_way: str = ""
    unheard: Collection[str] = ()
    aside: Mapping[str, str] = field(default_factory=dict)


def outline(
    spec: NodeSpec,
    record: Record,
    replicas: Mapping[str, Replica],
    means: Means,
    epoch: int,
    at: str = "",
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Outline:
    """The datasets of `spec` (as applied) out of a vault's `replicas`; `only` some of them instead of all.

    `without`: those that a person leaves out for now.
    """
    made = Outline(spec.name, epoch, at)
    for item in wanted_datasets(spec):
        if only is not None and item.name not in only:
            continue
        if item.replicate and item.name in means.kept:
            made.left[item.name] = "its pool was not lost: it stays as it is"
        elif item.replicate and item.name in without:
            made.left[item.name] = "left out, as was asked: `blackstart restore` brings it back later"
        elif item.replicate:
            _add(made, item, record.datasets.get(item.name), replicas.get(item.name), means, spec)
        elif item.kind not in DERIVED:
            made.left[item.name] = item.reason or "not replicated"
    known = {item.name for item in wanted_datasets(spec)}
    if only is None:
        for name in sorted(set(replicas) - known):
            made.left[name] = "not in the spec as last applied; its replica stays on the vault"
    else:
        made.refusals += [f"{name} is no dataset of {spec.name}" for name in sorted(set(only) - known)]
        made.refusals += _below(made, means)
    made.refusals += mistakes(spec, without)
    made.chosen = in_order(made.chosen)
    _space(made, means)
    if made.refusals:
        made.next_command = made.next_command or shell("blackstart", "why", spec.name)
    return made


def _add(
    made: Outline,
    item: WantedDataset,
    known: DatasetRecord | None,
    replica: Replica | None,
    means: Means,
    spec: NodeSpec,
) -> None:
    if replica is None or not replica.snapshots:
        _nothing(made, item, known, means)
        return
    snapshot = _snapshot(made, item, known, replica.snapshots)
    if snapshot is None:
        return
    _check_key(made, item, replica.encrypted, means)
    age = max(0, means.now - snapshot.taken)
    late = age > spec.replication.rpo
    newest = snapshot.guid == replica.snapshots[-1].guid
    if late and newest:
        made.warnings.append(f"{item.name}: {say_age(age)} old, accepted are {say_age(spec.replication.rpo)}")
    if snapshot.taken > means.now:
        made.warnings.append(f"{item.name}: @{snapshot.name} is from the future by the vault's clock")
    made.chosen.append(Chosen(item, snapshot, age, late, replica.encrypted, newest))


def _nothing(made: Outline, item: WantedDataset, known: DatasetRecord | None, means: Means) -> None:
    """This vault has nothing of it: another one may, or it was here, or it never arrived."""
    if known and item.name in means.elsewhere:
        other = means.elsewhere[item.name]
        made.refuse(item.name, f"{item.name}: only vault {other} has it (@{known.snapshot}); all comes from one vault")
        made.next_command = means.other_way
    elif known and known.guid and item.name in means.aside:
        kept = means.aside[item.name]
        made.refuse(item.name, f"{item.name}: a new replica has not arrived yet; the one before is damaged: {kept}")
    elif known and known.guid:
        made.refuse(item.name, f"{item.name}: the record says that @{known.snapshot} arrived, but there is no replica")
    else:
        why = "nothing of it ever arrived on the vault: it will be empty"
        # Whose word is missing is said, and does not stop a rebuild: such a vault may be gone for good.
        may = f"; {', '.join(sorted(means.unheard))} could not be asked, and may have it" if means.unheard else ""
        made.left[item.name] = why + may
        made.unheard |= set(means.unheard)


def _snapshot(
    made: Outline, item: WantedDataset, known: DatasetRecord | None, snapshots: tuple[ReplicaSnapshot, ...]
) -> ReplicaSnapshot | None:
    """The one that was asked for, or the newest; None, with a refusal, where the replica is not what it should be."""
    if known and known.guid and known.guid not in {snapshot.guid for snapshot in snapshots}:
        made.refuse(
            item.name,
            f"{item.name}: the replica does not carry @{known.snapshot} (guid {known.guid}) that the record names; "
            f"its newest is @{snapshots[-1].name} (guid {snapshots[-1].guid})",
        )
        return None
    snapshot = choose(snapshots, made.at)
    if snapshot is None:
        made.refuse(item.name, f"{item.name}: no snapshot {made.at}; the vault has {_range(snapshots)}")
    return snapshot


def _below(made: Outline, means: Means) -> list[str]:
    """One dataset that is exchanged is renamed aside with all below it: living data that nobody asked about."""
    found = []
    for each in made.chosen:
        below = sorted(name for name in means.there if name.startswith(f"{each.dataset}/"))
        if below:
            found.append(f"{each.dataset} cannot be exchanged alone: {', '.join(below)} would be put aside with it")
    return found


def _check_key(made: Outline, item: WantedDataset, encrypted: bool, means: Means) -> None:
    if encrypted and item.encryption is None:
        made.refuse(item.name, f"{item.name}: the replica is encrypted, and the spec as applied names no key")
    elif encrypted and item.name in means.keys:
        made.refuse(item.name, f"{item.name}: its key is not at hand: {means.keys[item.name]}")
    elif item.encryption and not encrypted:
        why = f"{item.name}: the spec wants it encrypted, the replica is not: it comes back plain"
        made.warnings.append(why)
        made.about.setdefault(item.name, []).append(why)


def _range(snapshots: tuple[ReplicaSnapshot, ...]) -> str:
    if len(snapshots) == 1:
        return f"only @{snapshots[0].name}"
    return f"@{snapshots[0].name} to @{snapshots[-1].name}"


def _space(made: Outline, means: Means) -> None:
    needed: dict[str, int] = {}
    for each in made.chosen:
        # Received, or cut over by a run that was killed. A living one that goes back stays beside what comes.
        if names.landing(each.dataset, each.snapshot.guid) in means.there:
            continue
        if each.newest and each.dataset in means.there:
            continue
        pool = each.dataset.split("/")[0]
        needed[pool] = needed.get(pool, 0) + each.snapshot.referenced
    for pool, size in sorted(needed.items()):
        if pool in means.free and size > means.free[pool] * (1 - _RESERVE):
            made.refuse(
                pool,
                f"pool {pool} has {round_size(means.free[pool])} free, the snapshots need {round_size(size)}",
            )


def in_order(chosen: list[Chosen]) -> list[Chosen]:
    """By priority, but a parent never after its child, whose priority it then shares."""

    def rank(each: Chosen) -> tuple[int, str]:
        below = [
            other.wanted.priority
            for other in chosen
            if other.dataset == each.dataset or other.dataset.startswith(f"{each.dataset}/")
        ]
        return min(below), each.dataset

    return sorted(chosen, key=rank)


def say_age(seconds: int) -> str:
    """Seconds for people: `23 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"


def round_size(size: int) -> str:
    """Bytes for people, three digits: `72.4 MB`. Where exactness counts, `format_size`."""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if value < 999.5 or unit == "PB":
            break
        value /= 1000
    return f"{value:.3g} {unit}"


def say_commit(commit: str) -> str:
    """A commit cut short, with the `-dirty` behind it that tells of files that are in no commit."""
    name, dash, dirty = commit.partition("-")
    return f"{name[:12] or 'none'}{dash}{dirty}"
