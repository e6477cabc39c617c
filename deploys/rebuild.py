"""What bootstrap.py does once the verdict allows it: the host, its pools, its data, its containers, the record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from blackstart.converge.context import commit_of
from blackstart.converge.everything import wanted
from blackstart.converge.wanted import Wanted
from blackstart.image import cache_folder
from blackstart.person import who
from blackstart.restore.job import Asks, Job, without
from blackstart.restore.leave import named
from blackstart.restore.outline import Outline
from blackstart.spec.load import fleet_path
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.verdict_datasets import restore_command
from deploys import host
from deploys.announce import announcements
from deploys.applied import applied
from deploys.container import containers
from deploys.dataset import datasets
from deploys.delegation import delegations
from deploys.fleet import asked, context_of, fleet
from deploys.image import images
from deploys.keeper import keeper, last_word
from deploys.package import packages
from deploys.project import releases
from deploys.rootfs import exchanged, roots
from deploys.unit import units
from operations import bootstrap, folder, image, judgement, lineage, lock, rebuild, restore, returned, stock
from operations.verdict import say, say_once

PAUSE = 3  # seconds between two looks at a host part that another run is at


def wishes(spec: NodeSpec, epoch: int | None, folder: Path) -> Wanted:
    """Everything wanted of a host by `spec`, its pools at `epoch`, with the fleet's files that lie in `folder`."""
    return wanted(spec, replace(context_of(spec, folder), epoch=epoch))


def ask(data: Any) -> Asks:
    """What --data said."""
    return Asks(
        disks=asked(data).disks,
        at=str(data.get("at") or ""),
        plan_only=str(data.get("plan") or "") == "only",
        abandon=str(data.get("abandon") or "") == "yes",
        dataset=str(data.get("dataset") or ""),
        vault=str(data.get("vault") or ""),
        without=named(str(data.get("without") or "")),
    )


def ways(carry_out: Callable[[Job, Outline | None], None]) -> bootstrap.Ways:
    """What operations/bootstrap.py needs of an entry point."""
    return bootstrap.Ways(wishes, carry_out, fleet_path(), who(), commit_of(fleet_path()))


def carry_out(job: Job, made: Outline | None) -> None:
    """A node that may be brought back: the host, its pools, its data, its containers, the record of it."""
    node = job.spec.name
    if job.verdict.kind == "intact":
        the_rest(job)
        return
    if made:
        bring_back(job, made)
        lock.locked(name=f"Lock of {node}", spec=job.working, who=job.by, commit=job.commit, what="bootstrap.py")
    else:
        planned(job, "bootstrap.py")
        the_host(job)
        rebuild.zfs_ready(name="ZFS is loaded", job=job)
        rebuild.pools(name="Pools by guid", job=job)
        rebuild.nothing_lost(name="Nothing is missing on them", job=job, coming=())
    finish(job, made)
    lock.released(name=f"Lock of {node} let go", spec=job.working)


def bring_back(job: Job, made: Outline) -> None:
    """The data, by the vault's unit, and beside it the host's own part, which its containers wait for.

    A run that prepared nothing starts nothing: the unit that it met may have ended meanwhile, and its plan is done.
    """
    node = job.spec.name
    if not restore.running(job):
        planned(job, "bootstrap.py")
        prepare(job, made)
        restore.started(name="The vault begins", job=job)
    while not restore.host_is_ready(job):
        other = lock.host_part(job.vault, node, job.by, job.commit)
        if not other:
            beside(job, made)
            break
        # It may also be a run that died: the vault lets go of its lock before long.
        say_once(f"{other.partition(';')[0]}; this run waits for it")
        if not restore.running(job):
            break
        time.sleep(PAUSE)
    restore.restored(name="Data, from the vault", job=job)


def beside(job: Job, made: Outline) -> None:
    """The host's own part while data flows, under a lock of its own, which is held."""
    try:
        before = without(job.wanted, [each.dataset for each in made.chosen])
        host.settled(job.wanted)
        images(wanted=before, cache=cache_folder(), vaults=job.sources)
        roots(wanted=before, folder=job.folder)
        releases(wanted=job.wanted, folder=job.tree, vaults=job.sources)
        units(wanted=job.wanted)
        restore.ready(name="The host is ready", job=job)
    except BaseException:
        say("the data goes on coming back, and its containers wait: once that is mended, run the same command again")
        raise
    finally:
        lock.release(job.spec.name)


def one_dataset(job: Job, made: Outline | None) -> None:
    """A living node's dataset: received beside what is there, exchanged, its containers started again."""
    assert made is not None
    node = job.spec.name
    if not restore.running(job):
        planned(job, "restore.py")
        returned.known_hosts(name="The vaults know the host", job=job, fleet=fleet())
        restore.prepared(name="The vault may restore", job=job, epoch=made.epoch)
        restore.started(name="The vault begins", job=job)
    restore.restored(name="Data, from the vault", job=job)
    lock.locked(name=f"Lock of {node}", spec=job.working, who=job.by, commit=job.commit, what="restore.py")
    finish_one(job)
    lock.released(name=f"Lock of {node} let go", spec=job.working)


def the_rest(job: Job) -> None:
    """The data is back, and the run that brought it did not come to its end."""
    locked(job, "bootstrap.py")
    if not judgement.is_done(job=job):
        judgement.holds(name="All is as it was planned for", job=job)
        rebuild.nothing_lost(name="Nothing is missing", job=job, coming=())
        if job.unfinished and job.unfinished.whole:
            finish(job, None)
        else:
            finish_one(job)
    lock.released(name=f"Lock of {job.spec.name} let go", spec=job.working)


def locked(job: Job, what: str) -> None:
    """Hold the node's lock; whatever was read before it counts no more."""
    lock.locked(name=f"Lock of {job.spec.name}", spec=job.working, who=job.by, commit=job.commit, what=what)
    judgement.afresh(job=job)


def planned(job: Job, what: str) -> None:
    """Under the lock, and only where all is still as this run was planned for."""
    locked(job, what)
    judgement.holds(name="All is as it was planned for", job=job)


def finish_one(job: Job) -> None:
    """What is left once single datasets of a living node are back."""
    lineage.begun(name="The vaults begin new chains", job=job)
    delegations(wanted=job.wanted)
    containers(wanted=job.wanted)
    restore.revoked(name="The vault may no longer restore", job=job)
    returned.replicated(name="The chain of replicas lives on", job=job)
    rebuild.finished(name="All is done", job=job)


def the_host(job: Job) -> None:
    """What /etc lost with the OS disk; it needs no pool."""
    host.own(job.spec.node.host.deploys, job.tree)
    host.host(job.wanted, job.sources)


def prepare(job: Job, made: Outline) -> None:
    """What must be there before data can flow: the pools, permission, the plan, parents of what comes.

    While the vault writes, the node goes on with what need not wait for it.
    """
    rebuild.opened(name="The rebuild is begun", job=job)
    image.ahead(job.wanted, cache_folder())
    host.own(job.spec.node.host.deploys, job.tree)
    packages(wanted=job.wanted, vaults=job.sources)
    rebuild.zfs_ready(name="ZFS is loaded", job=job)
    rebuild.pools(name="Pools", job=job)
    rebuild.journalled(name="The pools' guids", job=job)
    coming = sorted(each.dataset for each in made.chosen)
    rebuild.nothing_lost(name="Nothing is missing on what was not lost", job=job, coming=coming)
    restore.prepared(name="The vault may restore", job=job, epoch=made.epoch)
    # Now, and not beside the data: both would make the same parents.
    datasets(wanted=without(job.wanted, coming), folder=job.folder)
    returned.known_hosts(name="The vaults know the host", job=job, fleet=fleet())


def finish(job: Job, made: Outline | None) -> None:
    """What is left once the data is there, the next replication, and the proof that nothing differs.

    The vault's record says until the last step that it is to be done: a run that is killed here is gone on with.
    """
    # First: until then the vault cannot replicate what came back in an older state.
    lineage.begun(name="The vaults begin new chains", job=job)
    datasets(wanted=job.wanted, folder=job.folder)
    images(wanted=job.wanted, cache=cache_folder(), vaults=job.sources)
    roots(wanted=job.wanted, folder=job.folder)
    releases(wanted=job.wanted, folder=job.tree, vaults=job.sources)
    units(wanted=job.wanted)
    delegations(wanted=job.wanted)
    exchanged(wanted=job.wanted)
    containers(wanted=job.wanted)
    restore.revoked(name="The vault may no longer restore", job=job)
    if job.spec.node.vault:
        a_vault(job)
    if not made:
        returned.known_hosts(name="The vaults know the host", job=job, fleet=fleet())
    applied(wanted=job.wanted, spec=job.spec, commit=job.commit, by=job.by, disks={})
    returned.epoch(name="Every vault knows the epoch", job=job)
    returned.written(name="The fleet's files name the new disks", job=job)
    stock.renewed(name="The vaults have the fleet's files", spec=job.working, folder=job.folder)
    returned.replicated(name="The chain of replicas lives on", job=job)
    last_word(job.spec)
    rebuild.clean(name="Nothing differs", wanted=job.wanted)
    rebuild.finished(name="All is done", job=job)
    for dataset in job.asks.without:
        stays = f"{dataset} was left out; until it is brought back, or retired, `blackstart apply` refuses the node"
        say(f"{stays}\n  next: {restore_command(job.spec.name, dataset)}", "yellow")


def a_vault(job: Job) -> None:
    """The tool, keys and the service went with the system; what lay on its datasets is back."""
    name = job.spec.name
    folder.owned(name="Its users own what they write", vault=name)
    keeper(
        spec=job.spec,
        fleet=fleet(),
        nodes=resolve_all(fleet()),
        fleet_folder=fleet_path(),
        cache=cache_folder(),
        commit=commit_of(fleet_path()),
    )
    announcements(spec=job.spec, context=context_of(job.spec, job.tree), wanted=job.wanted)
    say(f"{name} has new keys: `blackstart apply` lets it in again on every node that it keeps")
