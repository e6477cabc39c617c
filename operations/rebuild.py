"""A lost node's pools, and the rebuild that is open on its vault while they are made and filled."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge import pool as converge_pool
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.restore.job import Job
from blackstart.restore.keeper import record_on
from blackstart.vault import layout
from blackstart.verdict_adopt import stranger
from blackstart.verdict_datasets import not_to_be_made
from blackstart.verdict_guard import refuse_bootstrap
from blackstart.verdict_shape import bootstrap_command
from operations.common import Commands, not_read, refuse
from operations.host_shell import ShellError
from operations.live import EVERYTHING, STORAGE, live, only_young, spoil
from operations.record import reading, rewritten, written
from operations.vault_shell import settled, write, write_beside
from operations.verdict import known, verdict


def open_command(node: str) -> str:
    """The vault's own program for the open rebuild in a node's record; what it shall do comes on stdin."""
    return f"PYTHONPATH={shell(layout.TOOL + '/current')} " + shell(
        "python3", "-m", "blackstart.vault.restore_open", node
    )


def tell(job: Job, **asked: object) -> None:
    """Change the open rebuild in the record. Raises ShellError."""
    try:
        _told(job.vault, write(job.vault, job.spec.name, open_command(job.spec.name), json.dumps(asked), tries=3))
    except ShellError:
        rewritten(job.vault)
        raise


def tell_beside(job: Job, otherwise: str, **asked: object) -> None:
    """The same beside what the node does, until `settled`. `otherwise`: what it means when it was not written."""
    node, said = job.spec.name, json.dumps(asked)
    write_beside(job.vault, node, open_command(node), said, partial(_told, job.vault), otherwise)


def _told(vault: str, said: str) -> None:
    """What the vault's program answered. Raises ShellError."""
    try:
        # The vault's tool may be older than this, and say less.
        written(vault, json.loads(said.splitlines()[-1]).get("record"))
    except (ValueError, IndexError) as error:
        raise ShellError(f"{vault}: its answer cannot be read: {error}") from error


@operation()
def finished(job: Job) -> Commands:
    """The last step of what follows a restore: until here, the next run of bootstrap.py goes on with it."""
    record = record_on(reading(job.vault, job.vault_pool), job.spec.name)
    mark = record.value.unfinished if isinstance(record, Present) else None
    if not state.is_executing or mark is None:
        return
    try:
        tell(job, do="finished", since=mark.at)
    except ShellError as error:
        yield refuse(f"{job.spec.name}: all is done, but the vault could not write that down: {error}; run it again")


@operation()
def opened(job: Job) -> Commands:
    """The record is to say that a rebuild is under way: no pool is made before it does, see `pools`."""
    if state.is_executing:
        tell_beside(
            job,
            "the rebuild was not begun",
            do="open",
            epoch=job.verdict.epoch,
            by=job.by,
            disks=job.verdict.disks,
            host_key=job.spec.node.host_key,
        )
    return
    yield


@operation()
def zfs_ready(job: Job) -> Commands:
    """The tools may just have been installed, and their module not be loaded yet."""
    if isinstance(live(job.wanted, "zfs").zfs, Present):
        return
    yield "[ -e /sys/module/zfs ] || modprobe zfs"
    spoil(*STORAGE)


@operation()
def pools(job: Job) -> Commands:
    """Import what is ours by guid, make what is gone on members that are still blank; judged once more right before.

    By then the record says that a rebuild is under way: whoever comes next goes on with it. What was read in the last
    half minute counts, unless the operator's own deploys ran since.
    """
    only_young(*STORAGE)
    if job.spec.node.host.deploys:
        spoil(*STORAGE)
    now = live(job.wanted, "pools", "importable", "disks", "zfs", "datasets")
    try:
        settled(job.spec.name)
    except ShellError as error:
        yield refuse(f"{job.spec.name}: {error}")
        return
    again = verdict(job.working, known(job.working, job.asks.vault), now, job.asks.disks)
    refusal = refuse_bootstrap(again)
    if refusal:
        yield refuse(str(refusal))
        return
    if again.create and job.verdict.kind == "importable":
        # Nothing was planned to be restored: a pool made now would stay empty.
        yield refuse(f"{job.spec.name}: {', '.join(again.create)} was on the disks, and is gone; run it again")
        return
    changed = bool(again.imports or again.create)
    for guid in again.imports.values():
        yield converge_pool.import_command(guid)
    for name, made in again.create.items():
        wanted = replace(job.wanted.pools[name], vdevs=made.vdevs)
        yield converge_pool.create_command(name, wanted, epoch=again.epoch)
    if changed:
        spoil(*STORAGE)


@operation()
def nothing_lost(job: Job, coming: Collection[str]) -> Commands:
    """A pool that was imported may lack a dataset that the vault has: it is never made empty in its place.

    `coming`: datasets that this run restores. A vault that keeps its own record could not restore from it either.
    """
    record = known(job.working, job.asks.vault).record
    if not state.is_executing or not isinstance(record, Present):
        return
    now = live(job.wanted, "pools", "datasets")
    found = not_to_be_made(record.value, now, job.wanted.datasets, coming)
    if found:
        # Where other data is to come back too, that goes first: this pool is known to lack it from now on.
        then = bootstrap_command(job.spec.name) if coming else found.next_command
        yield refuse(f"{job.spec.name}: {found.why}. Next: {then}")


@operation()
def journalled(job: Job) -> Commands:
    """The guids of the pools that were made: once they are written, the rebuild is recognised by them."""
    if not state.is_executing:
        return
    now = live(job.wanted, "pools", "datasets")
    record = known(job.working, job.asks.vault).record
    why = stranger(record.value, now) if isinstance(record, Present) else ""
    if why:
        yield refuse(f"{job.spec.name}: {why}. Next: {shell('blackstart', 'why', job.spec.name)}")
        return
    found, otherwise = guids(job, now), "the pools' guids were not written down"
    if set(found) != {name for name, pool in job.spec.node.pools.items() if pool.managed}:
        yield refuse(f"{job.spec.name}: {otherwise}: not every pool is there")
        return
    tell_beside(job, otherwise, do="made", pools=found)


def guids(job: Job, now: Live) -> dict[str, str]:
    """Managed pool -> guid, of those that are imported."""
    pools = now.pools.value if isinstance(now.pools, Present) else {}
    return {name: pools[name].guid for name, pool in job.spec.node.pools.items() if pool.managed and name in pools}


def give_up(state: State, host: Host, job: Job) -> bool:
    """Close the open rebuild in the record."""
    try:
        tell(job, do="abandon", by=job.by)
    except ShellError as error:
        host.log_styled(str(error), fg="red")
        return False
    return True


@operation()
def clean(wanted: Wanted) -> Commands:
    """The last word: what was wanted is there. What a deploy could still change is an error, what none may is said."""
    if not state.is_executing:
        return
    spoil(EVERYTHING)
    changes = [change for change in diff(wanted, live(wanted)) if change.action != "unmanaged"]
    for change in changes:
        host.log_styled(str(change), fg="yellow")
    unread = [change for change in changes if change.action == "unknown"]
    left = [change for change in changes if change.action in ("create", "update")]
    if unread:
        not_read()
        yield refuse(f"the data is back, but {len(unread)} things could not be read; run the same command again")
    elif left:
        yield refuse(f"the data is back, but {len(left)} things still differ from the spec; run `blackstart apply`")
    elif changes:
        host.log_styled("the data is back; what differs is for a person to change, no deploy may", fg="yellow")
