"""One run of bootstrap.py, or of restore.py, over the simulated fleet: the real verdict, plan and steps.

In the order of deploys/rebuild.py; containers and what else a host has are not what a loss is judged by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from blackstart.converge import dataset as converge_dataset
from blackstart.converge import pool as converge_pool
from blackstart.converge.wanted import Wanted, WantedPool
from blackstart.live.model import Live
from blackstart.reading import Present, Reading
from blackstart.restore import steps
from blackstart.restore.job import Asks, Job, with_disks
from blackstart.restore.keeper import choose, doubts, holder, keepers
from blackstart.restore.leave import apart
from blackstart.restore.means import planned
from blackstart.restore.outline import Outline
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.torture import data, laws, seen
from blackstart.torture.world import NOW, Killed, Refused, Vault, World, Wrong
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.vault.restore_open import changed
from blackstart.vault.restore_plan import Plan
from blackstart.vault.store import patched
from blackstart.verdict import Verdict, as_applied, recorded_spec
from blackstart.verdict_adopt import stranger
from blackstart.verdict_datasets import lost, not_to_be_made
from blackstart.verdict_guard import refuse_apply, refuse_bootstrap
from blackstart.verdict_self import judged


@dataclass
class Run:
    """`refusal`: "" where it went on. `did`: every step that changed something, in order. `plan`: what data came,
    by these `scripts` on the node."""

    verdict: Verdict
    vault: str
    doubts: tuple[str, ...]
    refusal: str = ""
    did: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    plan: Plan | None = None
    outline: Outline | None = None
    killed: bool = False


@dataclass
class Seen:
    """Everything that is read before a run decides."""

    live: Live
    readings: dict[str, VaultReading]
    vault: str
    record: Reading[Record]


class Bootstrap:
    """One run. `stop`: the number of the step at which it is killed, 0 for none. `allowed`: pools it may import.

    `dataset`: this one alone is to come back. What looks at the world or changes it is a method of its own: guest/
    does the same on a machine.
    """

    def __init__(self, world: World, allowed: set[str], stop: int = 0, dataset: str = "") -> None:
        self.world, self.allowed, self.stop, self.dataset = world, allowed, stop, dataset
        self._seen: Seen | None = None
        self.result = Run(self.judge(), self.seen.vault, doubts(self.seen.readings, world.name, self.seen.vault))

    @property
    def seen(self) -> Seen:
        """What was read since the last change."""
        if self._seen is None:
            self._seen = self.look()
        return self._seen

    def look(self) -> Seen:
        readings = {name: seen.vault(self.world, self.world.vaults[name]) for name in keepers(self.world.working)}
        return Seen(seen.node(self.world), readings, *choose(readings, self.world.name))

    def changed(self) -> None:
        """What was read before counts no more."""
        self._seen = None

    def judge(self) -> Verdict:
        working = self.world.working
        return judged(working, self.seen.readings, self.seen.record, self.seen.live, self.world.given)

    def record(self) -> Record:
        if not isinstance(self.seen.record, Present):
            raise Wrong(f"a run goes on without a record: {self.seen.record}")
        return self.seen.record.value

    def step(self, what: str, act: Callable[[], None]) -> None:
        """One step that changes something; afterwards everything is read anew."""
        if self.stop and len(self.result.did) + 1 >= self.stop:
            raise Killed
        act()
        self.result.did.append(what)
        self.changed()

    def run(self) -> Run:
        try:
            self._run()
        except Killed:
            self.result.killed = True
        except Refused as refused:
            self.result.refusal = str(refused)
        return self.result

    def _run(self) -> None:
        verdict = self.result.verdict
        refusal = refuse_apply(verdict) if self.dataset else refuse_bootstrap(verdict)
        if refusal:
            raise Refused(str(refusal))
        record = self.record()
        if self.dataset:
            self.one(self.job())
        elif verdict.kind == "intact":
            for gone in lost(record, self.seen.live):
                if gone.dataset in self.world.without:
                    continue
                raise Refused(f"{gone.why}. Next: {gone.next_command}")
            if record.unfinished:
                self.not_empty(self.job(), ())
                data.follow(self, self.job())
        elif verdict.kind == "importable":
            job = self.job()
            self.pools(job)
            self.not_empty(job, ())
            data.follow(self, job)
        else:
            job = self.job()
            self.restore(job)
            data.follow(self, job)

    def apply(self) -> Run:
        """site.py, as far as vaults are told of the node by it."""
        refusal = refuse_apply(self.result.verdict)
        if refusal:
            raise Wrong(f"apply is refused on a node that is intact: {refusal}")
        data.told(self, self.job())
        return self.result

    def one(self, job: Job) -> None:
        """restore.py: one dataset of a node that is intact."""
        outline = self.outlined(job)
        if not outline.chosen:
            raise Refused(f"{self.dataset} is nothing that comes back: {outline.left}")
        data.bring(self, job, self.planned(job, outline))
        data.begun(self, job)
        data.finished(self, job)

    def job(self) -> Job:
        """As operations/bootstrap.py makes it, with the wishes that count here."""
        world, verdict = self.world, self.result.verdict
        recorded = recorded_spec(self.record())
        applied = as_applied(recorded.value, world.working) if isinstance(recorded, Present) else world.working
        spec = with_disks(applied, verdict.disks)
        vault = self.seen.vault
        if self.dataset:
            vault = holder(self.seen.readings, world.name, self.dataset, vault) or vault
        return Job(
            spec=spec,
            working=world.working,
            wanted=apart(wishes(spec, verdict.epoch), world.without),
            verdict=verdict,
            asks=Asks(disks=world.given, at=world.at, dataset=self.dataset, without=world.without),
            vault=vault,
            vault_pool=self.world.vaults[vault].pool,
            folder=Path(),
            by="ops",
            commit="abc123",
            tree=Path(),
            sources=(),
            unfinished=self.record().unfinished,
        )

    def pools(self, job: Job) -> None:
        """Judged once more, with the tools; then what is ours is imported and what is gone made."""
        if not self.world.tools:
            self.step("tools", self.install)
        again = self.judge()
        refusal = refuse_bootstrap(again)
        if refusal:
            raise Refused(str(refusal))
        if again.create and job.verdict.kind == "importable":
            raise Refused(f"{', '.join(again.create)} was on the disks, and is gone")
        for guid in again.imports.values():
            self.step(f"import {guid}", partial(self.import_, guid))
        for name, pool in again.create.items():
            comment = pool_comment(again.epoch, job.spec.name)
            wanted = WantedPool(job.spec.name, pool.vdevs, pool.ashift, pool.properties)
            command = converge_pool.create_command(name, wanted, epoch=again.epoch)
            self.result.commands.append(command)
            made = partial(laws.create, self.world, name, pool.vdevs, again.epoch, comment)
            self.step(f"create {name}", partial(self.create, name, command, made))

    def install(self) -> None:
        """ZFS's tools, on the node."""
        laws.install(self.world)

    def import_(self, guid: str) -> None:
        laws.import_(self.world, guid, self.allowed)

    def create(self, name: str, command: str, law: Callable[[], None]) -> None:
        """A pool. `law`: what becomes of the world, or why it must not be."""
        law()

    def make_dataset(self, name: str, command: str, encrypted: bool) -> None:
        laws.make(self.world, name, encrypted)

    def bring(self, job: Job, todo: Plan) -> None:
        """The data, as the plan says, and the record after it."""
        data.bring(self, job, todo)

    def aside(self, vault: Vault, name: str, word: str) -> None:
        """A replica whose chain has ended, kept under another name."""
        vault.aside.append(vault.replicas.pop(name))

    def patch(self, vault: Vault, patch: dict[str, Any]) -> None:
        """What every vault learns at the end."""
        vault.record = patched(self.world.name, vault.record, patch)

    def tell(self, job: Job, **asked: object) -> None:
        """What the vault's own program makes of the record."""
        vault = self.world.vaults[job.vault]
        try:
            vault.record = changed(vault.record, asked, NOW + vault.clock)
        except ValueError as error:
            raise Refused(f"the vault's record was not changed: {error}") from None

    def not_empty(self, job: Job, coming: tuple[str, ...]) -> None:
        found = not_to_be_made(self.record(), self.seen.live, job.wanted.datasets, coming)
        if found:
            raise Refused(f"{found.why}. Next: {found.next_command}")

    def restore(self, job: Job) -> None:
        outline = self.outlined(job)
        verdict = job.verdict
        key = job.spec.node.host_key
        asked = {"do": "open", "epoch": verdict.epoch, "by": job.by, "disks": verdict.disks, "host_key": key}
        self.step("opened", partial(self.tell, job, **asked))
        self.pools(job)
        why = stranger(self.record(), self.seen.live)
        if why:
            raise Refused(why)
        made = {name: pool.guid for name in managed(job.spec) if (pool := self.world.imported_as(name))}
        if set(made) != set(managed(job.spec)):
            raise Refused("not every pool is there")
        self.step("journalled", partial(self.tell, job, do="made", pools=made))
        coming = tuple(each.dataset for each in outline.chosen)
        self.not_empty(job, coming)
        self.make(job, coming)
        # As operations/restore.py asks once more: the pools are there only now.
        self.bring(job, self.planned(job, self.outlined(job)))

    def outlined(self, job: Job) -> Outline:
        keys = {name: "it is not there" for name in self.world.lost_keys}
        found = self.seen.readings[job.vault]
        clock = found.clock.value if isinstance(found.clock, Present) else NOW
        made = planned(
            job, self.record(), self.seen.readings, self.seen.live, clock=clock, keys=keys, epoch=job.verdict.epoch
        )
        self.result.outline = made
        if made.refusals:
            raise Refused(". ".join(made.refusals))
        return made

    def planned(self, job: Job, outline: Outline) -> Plan:
        """The plan for the vault, and what it lays down on the node."""
        todo = self.result.plan = data.plan_of(self.world, job, outline, self.record())
        wanted = {item.name: item for item in wanted_datasets(job.spec)}
        files = steps.files(todo, wanted, {}, dict.fromkeys(managed(job.spec), pool_comment(todo.epoch, job.spec.name)))
        self.result.scripts = [each.content.decode() for name, each in files.items() if "/abort-" not in name]
        return todo

    def make(self, job: Job, coming: tuple[str, ...]) -> None:
        """Datasets that are missing, but for those that come back."""
        wanted = Wanted(datasets={name: each for name, each in job.wanted.datasets.items() if name not in coming})
        for change in converge_dataset.diff(wanted, self.seen.live):
            if change.action == "create":
                command = converge_dataset.command([change], wanted)
                self.result.commands.append(command)
                self.make_dataset(change.name, command, wanted.datasets[change.name].encryption is not None)
        self.changed()


def managed(spec: NodeSpec) -> list[str]:
    return [name for name, pool in spec.node.pools.items() if pool.managed]


def wishes(spec: NodeSpec, epoch: int | None) -> Wanted:
    """Pools and datasets: the rest of a host is not what a loss is judged by."""
    pools = {
        name: WantedPool(spec.name, each.vdevs, each.ashift, each.properties, each.managed, epoch)
        for name, each in spec.node.pools.items()
    }
    datasets = {item.name: item for item in wanted_datasets(spec)}
    return Wanted(datasets=datasets, pools=pools)
