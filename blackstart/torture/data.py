"""The data's part of a simulated run: the plan on the vault, each item by its next action, and what follows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from blackstart.reading import Present, Unknown
from blackstart.restore.job import Job
from blackstart.restore.keeper import choose, replicas_on
from blackstart.restore.lineage import ended
from blackstart.restore.outline import Outline
from blackstart.restore.plan import plan
from blackstart.restore.told import is_written, patch_for
from blackstart.torture import laws
from blackstart.torture.state import PERIOD, known
from blackstart.torture.world import NOW, Dataset, Refused, Snapshot, Vault, World, Wrong
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import Record
from blackstart.vault.restore_commit import commit
from blackstart.vault.restore_next import Place, State, next_action
from blackstart.vault.restore_plan import Item, Plan, Target
from blackstart.vault.store import Store

if TYPE_CHECKING:
    from blackstart.torture.run import Bootstrap


class _Kept(Store):
    """A vault's store whose record lies in the simulated vault."""

    def __init__(self, world: World, vault: Vault) -> None:
        super().__init__(world.name)
        self.vault = vault

    def update(self, change: Callable[[Record | None], Record]) -> Record:
        self.vault.record = change(self.vault.record)
        return self.vault.record


def plan_of(world: World, job: Job, outline: Outline, record: Record) -> Plan:
    """As operations/restore.py makes it; no containers."""
    pools: dict[str, Any] = {
        name: {"guid": pool.guid, "size": 1, "members": [member.id for vdev in each.vdevs for member in vdev.members]}
        for name, each in job.spec.node.pools.items()
        if (pool := world.imported_as(name))
    }
    document = job.spec.model_dump(mode="json", by_alias=True)
    applied = {"digest": job.spec.digest(), "commit": job.commit, "by": job.by, "at": NOW, "spec": document}
    return plan(
        outline,
        {},
        Target("203.0.113.11", 22, job.spec.node.host_key),
        vault_pool=job.vault_pool,
        now=NOW,
        by=job.by,
        begun=record.rebuild.started if record.rebuild else NOW,
        commit=None if job.asks.dataset else {"host_key": job.spec.node.host_key, "applied": applied, "pools": pools},
        details={"disks": job.verdict.disks},
    )


def bring(run: Bootstrap, job: Job, todo: Plan) -> None:
    """Every item from wherever it stands to its place, then the seal and the record's new epoch."""
    world, vault = run.world, run.world.vaults[job.vault]
    for item in todo.items:
        _bring(run, vault, item)
    for name, pool in job.spec.node.pools.items():
        if pool.managed and (there := world.imported_as(name)) and not job.asks.dataset:
            there.comment, there.epoch = pool_comment(todo.epoch, world.name), todo.epoch
    run.step("committed", partial(_commit, world, vault, todo))


def _commit(world: World, vault: Vault, todo: Plan) -> None:
    record = commit(_Kept(world, vault), todo)
    world.epoch = max(world.epoch, record.epoch)
    world.lives |= {name: pool.guid for name in record.pools if (pool := world.imported_as(name))}


def _bring(run: Bootstrap, vault: Vault, item: Item) -> None:
    world, finished = run.world, False
    for _ in range(8):
        pool = world.imported_as(item.dataset.split("/")[0])
        there = pool.datasets if pool else {}
        places = {name: _place(there.get(name)) for name in (item.dataset, item.landing)}
        action = next_action(item, State(places), finished, token_valid=True)
        if action.do == "done":
            return
        if action.do == "fail":
            raise Wrong(f"{item.dataset}: {action.why}")
        if action.do == "cutover":
            run.step(f"cut over {item.dataset}", lambda: laws.cut_over(world, item.landing, item.dataset, item.mark))
            finished = True
        else:
            snapshot = next((each for each in vault.replicas.get(item.dataset, []) if each.guid == item.guid), None)
            if snapshot is None:
                raise Wrong(f"{item.dataset}: the plan's snapshot {item.guid} is not on {vault.name}")
            encrypted = vault.record is not None and vault.record.datasets[item.dataset].encrypted
            run.step(f"send {item.dataset}", partial(laws.receive, world, item.landing, snapshot, encrypted))
    raise Wrong(f"{item.dataset}: it never comes to its place")


def _place(there: Dataset | None) -> Place:
    if there is None:
        return Place(False)
    return Place(True, frozenset(each.guid for each in there.snapshots), there.token, there.mark)


def follow(run: Bootstrap, job: Job) -> None:
    """New chains where an older state came back, what is still missing, what every vault learns; the end is noted."""
    begun(run, job)
    run.make(job, ())
    told(run, job)
    finished(run, job)


def told(run: Bootstrap, job: Job) -> None:
    """Every vault that answers has the spec and the epoch, once the chains that ended there are put aside."""
    run.step("recorded", partial(_recorded, run, job, _healed(run)))


def begun(run: Bootstrap, job: Job) -> None:
    """operations/lineage.py: of what came back, a replica whose newest snapshot did not is put aside."""
    mark = run.record().unfinished
    for vault in _answering(run) if mark else ():
        found = replicas_on(run.seen.readings[vault.name], run.world.name)
        over = ended(found.value, run.seen.live, mark.datasets if mark else ()) if isinstance(found, Present) else found
        if isinstance(over, Unknown) and vault.name == job.vault:
            raise Refused(f"whether its replicas go on could not be read: {over.why}")
        for name in over.value if isinstance(over, Present) else ():
            run.step(f"aside {name}", partial(run.aside, vault, name, mark.datasets[name] if mark else ""))


def finished(run: Bootstrap, job: Job) -> None:
    """The last word, to the vault that restored."""
    vault = run.world.vaults[job.vault]
    mark = vault.record.unfinished if vault.record else None
    if mark:
        run.step("finished", partial(run.tell, job, do="finished", since=mark.at))


def _healed(run: Bootstrap) -> set[str]:
    """operations/lineage.py: a vault that was away in an earlier epoch holds chains that ended then.

    Those of which that cannot be told: they do not learn the epoch.
    """
    behind = set()
    vaults = [each for each in _answering(run) if each.record and not each.torn]
    last = max(each.record.epoch for each in vaults if each.record)
    for vault in vaults:
        found = replicas_on(run.seen.readings[vault.name], run.world.name)
        over = ended(found.value, run.seen.live) if isinstance(found, Present) else found
        if vault.record is None or vault.record.epoch == last:
            continue
        if isinstance(over, Unknown):
            behind.add(vault.name)
        for name in over.value if isinstance(over, Present) else ():
            run.step(f"aside {name}", partial(run.aside, vault, name, f"e{last}"))
    return behind


def _answering(run: Bootstrap) -> list[Vault]:
    return [run.world.vaults[name] for name, said in run.seen.readings.items() if not isinstance(said.records, Unknown)]


def _recorded(run: Bootstrap, job: Job, behind: set[str]) -> None:
    """operations/record.py: each vault that answers has spec, pools and epoch; a silent one learns them later."""
    counts, record = choose(run.seen.readings, run.world.name)
    known_record = record.value if isinstance(record, Present) else None
    patch = patch_for(job.spec, run.seen.live, job.commit, job.by, NOW, known_record, {}) | {"vault_keys": {}}
    vaults = [each for each in _answering(run) if not each.torn]
    epoch = max(each.record.epoch for each in vaults if each.record)
    for vault in vaults:
        if vault.name in behind:
            continue
        written = is_written(patch, run.seen.readings[vault.name], run.world.name)
        if isinstance(written, str):
            if vault.name == counts:
                raise Refused(written)
        elif not written or (vault.record and vault.record.epoch < epoch):
            run.patch(vault, {"epoch": epoch} | patch)


def replicate(world: World) -> None:
    """The next replication: one snapshot more of everything, pulled by every vault that answers. Raises Wrong where a
    chain cannot go on."""
    for name, guid in world.lives.items():
        for dataset, there in world.pools[guid].datasets.items() if guid in world.imported else ():
            if dataset in world.chains and name == dataset.split("/")[0]:
                _pull(world, dataset, there)


def _pull(world: World, dataset: str, there: Dataset) -> None:
    fresh = Snapshot("blackstart_after", world.guid(), NOW + PERIOD)
    there.snapshots = [*there.snapshots, fresh]
    for vault in world.vaults.values():
        # One that was away in between, and that no run has told yet, waits for the next `apply`.
        behind = vault.record is None or vault.record.epoch < world.epoch or dataset in vault.forged
        if vault.says or behind or vault.torn or vault.unread_replicas:
            continue
        assert vault.record
        before = vault.replicas.get(dataset, [])
        if before and dataset in world.born:
            continue  # a vault that nobody heard had it: a person has to say which of the two it shall be
        if before and before[-1] not in there.snapshots:
            raise Wrong(f"{dataset}: the chain on {vault.name} ends: {before[-1].guid} is not on the node")
        vault.replicas[dataset] = [*before, fresh]
        encrypted = there.encrypted
        vault.record = replace(
            vault.record, datasets=vault.record.datasets | {dataset: known(vault.replicas[dataset], encrypted)}
        )
