"""The one operation behind bootstrap.py: judged when it is executed, shown first, carried out where that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import state

from blackstart.change import shell
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.reading import Present
from blackstart.restore.differs import differences
from blackstart.restore.job import Asks, Job, with_disks
from blackstart.restore.keeper import holder, keepers
from blackstart.restore.leave import apart
from blackstart.restore.outline import Outline
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.typed import by_blackstart
from blackstart.verdict import recorded_spec
from blackstart.verdict_datasets import lost
from blackstart.verdict_guard import Refusal, refuse_apply, refuse_bootstrap, render
from operations import lock
from operations.common import Commands, refuse
from operations.host_shell import ShellError
from operations.live import ahead, carry_over, is_read, live
from operations.rebuild import give_up
from operations.record import carry_over_vaults
from operations.restore import outline_of, refused, show
from operations.supply import sources
from operations.tree import as_of
from operations.verdict import Known, applied_spec, known, say, say_once, verdict


@dataclass(frozen=True, slots=True)
class Ways:
    """What the entry point brings: how wishes are made of a spec, and what is done once it is allowed."""

    wishes: Callable[[NodeSpec, int | None, Path], Wanted]  # of a spec, at an epoch, with files of a fleet's folder
    carry_out: Callable[[Job, Outline | None], None]
    folder: Path
    by: str
    commit: str


def job_of(spec: NodeSpec, asks: Asks, ways: Ways) -> tuple[Job, Known]:
    """The job over a node as it is now. Raises OSError, KeyError, ValueError for wishes that cannot be made."""
    before = {} if is_read() else _both_at_once(spec, asks, ways)
    about = known(spec, asks.vault)
    # One dataset comes from whoever has it; a whole node from the one vault whose word counts.
    vault = (asks.dataset and holder(about.readings, spec.name, asks.dataset, about.vault)) or about.vault
    applied = applied_spec(spec, about)
    record = about.record.value if isinstance(about.record, Present) else None
    vaults = tuple(sources(spec, about.vault))
    tree = ways.folder
    if record and record.applied:
        tree = as_of(record.applied.commit, applied, ways.folder, vaults)
    wanted = apart(ways.wishes(applied, None, tree), asks.without)
    judged = verdict(spec, about, live(wanted), asks.disks)
    fixed = with_disks(applied, judged.disks)
    job = Job(
        spec=fixed,
        working=spec,
        wanted=apart(ways.wishes(fixed, judged.epoch or None, tree), asks.without),
        verdict=judged,
        asks=asks,
        vault=vault,
        vault_pool=keepers(spec).get(vault, ""),
        folder=ways.folder,
        by=ways.by,
        commit=record.applied.commit if record and record.applied else ways.commit,
        tree=tree,
        sources=vaults,
        unfinished=record.unfinished if record else None,
        # Nobody had a lock between the two looks at it, of which one came before the node was read, and the other one
        # before the vault was.
        signs={vault: sign for vault, sign in about.signs(spec.name).items() if sign == before.get(vault)},
    )
    return job, about


def _both_at_once(spec: NodeSpec, asks: Asks, ways: Ways) -> dict[str, str]:
    """The node is read while its vaults are asked for the spec as last applied, which is the working tree's for the
    most part. What is returned are the signs of its locks from before that.
    """
    signs = lock.signs(spec)
    # A working tree of which no wishes can be made is no reason not to bring back what was applied.
    with suppress(OSError, KeyError, ValueError):
        ahead(apart(ways.wishes(spec, None, ways.folder), asks.without))
    return signs


# Nested operations run inside: pyinfra must not take this one for the one they would be nested in.
@operation(is_idempotent=True, _set_in_op=False)
def bootstrap(spec: NodeSpec, asks: Asks, ways: Ways) -> Commands:
    """Nothing for an intact node; refused where the verdict says so; otherwise the node is brought back."""
    carry_over()
    carry_over_vaults(spec)
    try:
        job, about = job_of(spec, asks, ways)
    except (OSError, KeyError, ValueError) as error:
        yield refuse(f"{spec.name}: what is wanted of it cannot be said: {error}")
        return
    # pyinfra's own question stands between this and the refusal; a `blackstart` command asks none there.
    shown = replace(job.verdict, refusal="", next_command="") if by_blackstart() else job.verdict
    say_once(render(shown))
    for line in about.doubts(spec.name):
        say_once(line, "yellow")
    refusal = refuse_bootstrap(job.verdict) or _lost(job, about)
    if refusal:
        # A node that somebody is at work on may look like nothing known.
        yield refuse(f"{lock.meanwhile(job.vault, spec.name)}{refusal}")
        return
    if job.verdict.kind == "intact" and not (job.unfinished and not asks.plan_only):
        if asks.at:
            _not_taken_back(spec, asks.at)
        _report(job, about)
        return
    made = _outline(job, about)
    if made and made.refusals:
        yield refused(made)
        return
    if not asks.plan_only:
        yield FunctionCommand(_carry_out, (ways, job, made), {})


def _not_taken_back(spec: NodeSpec, at: str) -> None:
    """Whoever asks for an older state of a node that lives is told that nothing of it went back."""
    kept = [each.name for each in wanted_datasets(spec) if each.replicate]
    if kept:
        back = shell("blackstart", "restore", f"{spec.name}/{kept[0]}", f"--at={at}")
        said = f"{spec.name} lives, so nothing of it goes back to {at}; a single dataset does:"
        say_once(f"{said}\n  next: {back}", "yellow")


def _carry_out(state: State, host: Host, ways: Ways, job: Job, made: Outline | None) -> bool:
    """Everything that follows, as operations nested in this one; a sentence instead of a traceback where one fails."""
    try:
        ways.carry_out(job, made)
        return True
    except (ShellError, OSError, ValueError) as error:
        host.log_styled(f"{job.spec.name}: {error}; run the same command again, it goes on", fg="red")
        return False


@operation(is_idempotent=True, _set_in_op=False)
def restore(spec: NodeSpec, asks: Asks, ways: Ways) -> Commands:
    """One dataset of an intact node, whether it is lost or shall go back to an older state."""
    try:
        job, about = job_of(spec, asks, ways)
    except (OSError, KeyError, ValueError) as error:
        yield refuse(f"{spec.name}: what is wanted of it cannot be said: {error}")
        return
    refusal = refuse_apply(job.verdict)
    if refusal or not asks.dataset:
        yield refuse(str(refusal or f"{spec.name}: no dataset was named; run: blackstart restore {spec.name}/DATASET"))
        return
    made = outline_of(job, job.verdict.epoch, with_keys=state.is_executing)
    if not made.chosen and not made.refusals:
        why = next(iter(made.left.values()), "it is no dataset that is replicated")
        made.refusals.append(f"{asks.dataset}: {why}")
        made.next_command = shell("blackstart", "why", spec.name)
    for line in about.doubts(spec.name):
        say_once(line, "yellow")
    show(made)
    if made.refusals:
        yield refused(made)
    elif not asks.plan_only:
        yield FunctionCommand(_carry_out, (ways, job, made), {})


def _outline(job: Job, about: Known) -> Outline | None:
    """What will come back, shown; None when no data has to (its pools are there, or have to be imported)."""
    _show_differences(job, about)
    if job.verdict.kind in ("importable", "intact"):
        return None
    made = outline_of(job, job.verdict.epoch, with_keys=state.is_executing)
    show(made)
    return made


def _show_differences(job: Job, about: Known) -> None:
    if not isinstance(about.record, Present):
        return
    recorded = recorded_spec(about.record.value)
    found = differences(recorded.value, job.working) if isinstance(recorded, Present) else []
    if found:
        what = "comes back as last applied; the working tree differs, which is for site.py later:"
        say_once("\n".join([f"{job.spec.name}: {what}", *(f"  {line}" for line in found)]), "yellow")


def _lost(job: Job, about: Known) -> Refusal | None:
    """A living node that lost a dataset is not this deploy's business: one command brings that dataset back."""
    if job.verdict.kind != "intact" or not isinstance(about.record, Present):
        return None
    gone = [each for each in lost(about.record.value, live(job.wanted)) if each.dataset not in job.asks.without]
    if not gone:
        return None
    why = gone[0].why
    if job.unfinished and job.unfinished.whole:
        left = ",".join(dict.fromkeys((*job.asks.without, *(each.dataset for each in gone))))
        why += f"; a rebuild that left it out goes on with without={left}"
    return Refusal(job.spec.name, why, gone[0].next_command)


def _report(job: Job, about: Known) -> None:
    """What differs on an intact node: said, not changed."""
    if not state.is_executing:
        return
    _show_differences(job, about)
    changes = [change for change in diff(job.wanted, live(job.wanted)) if change.action != "unmanaged"]
    for change in changes:
        say(str(change), "yellow")
    if changes:
        say(f"{job.spec.name}: {len(changes)} differences, none changed: that is `blackstart apply`'s work", "yellow")


@operation()
def abandoned(spec: NodeSpec, asks: Asks, ways: Ways) -> Commands:
    """Give up an open rebuild that has made nothing yet: the machine with the old pool is the node again."""
    try:
        job, about = job_of(spec, asks, ways)
    except (OSError, KeyError, ValueError) as error:
        yield refuse(f"{spec.name}: what is wanted of it cannot be said: {error}")
        return
    record = about.record.value if isinstance(about.record, Present) else None
    if record is None or record.rebuild is None:
        yield refuse(f"{spec.name}: no rebuild is open")
    elif record.rebuild.pools:
        made = ", ".join(f"{name} (guid {guid})" for name, guid in record.rebuild.pools.items())
        yield refuse(f"{spec.name}: the open rebuild has made {made} already: it can only be finished")
    else:
        yield FunctionCommand(give_up, (job,), {})
