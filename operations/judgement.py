"""What a run was planned for, judged once more under the lock: another run may have been there before it was taken."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.change import shell
from blackstart.reading import Present
from blackstart.restore.job import Job, with_disks
from blackstart.restore.keeper import keepers
from blackstart.vault.record import Unfinished
from blackstart.verdict import Verdict
from blackstart.verdict_guard import refuse_bootstrap
from blackstart.verdict_shape import bootstrap_command
from operations.common import Commands, refuse
from operations.held import locks
from operations.live import EVERYTHING, live, spoil
from operations.record import forget
from operations.verdict import applied_spec, known, say, verdict


def afresh(job: Job) -> None:
    """What was read before the lock was held counts no more, of the node and of its vaults; unless the locks
    themselves prove that nobody had them since.
    """
    if undisturbed(job):
        return
    spoil(EVERYTHING)
    for vault in keepers(job.working):
        forget(vault)


def undisturbed(job: Job) -> bool:
    """Whether no other run has held one of the node's locks between the readings of this run and its own locks."""
    node = job.spec.name
    taken = {vault: holding.lock.sign for (name, vault), holding in locks.items() if name == node}
    return bool(taken) and all(sign and sign == job.signs.get(vault) for vault, sign in taken.items())


def is_done(job: Job) -> bool:
    """Whether another run has done meanwhile what an ended one left; says so."""
    record = known(job.working, job.asks.vault).record
    done = isinstance(record, Present) and record.value.unfinished is None
    if done:
        say(f"{job.spec.name}: another run has done meanwhile what was left; nothing is changed")
    return done


@operation()
def holds(job: Job) -> Commands:
    """Refused where the node, or what its vaults say of it, is no longer what this run was planned for."""
    if not state.is_executing:
        return
    about = known(job.working, job.asks.vault)
    judged = verdict(job.working, about, live(job.wanted), job.asks.disks)
    refusal = refuse_bootstrap(judged)
    if refusal:
        yield refuse(str(refusal))
        return
    spec = with_disks(applied_spec(job.working, about), judged.disks)
    left = about.record.value.unfinished if isinstance(about.record, Present) else None
    if (spec, _what(judged, left)) != (job.spec, _what(job.verdict, job.unfinished)):
        dataset = job.asks.dataset
        again = shell("blackstart", "restore", f"{job.spec.name}/{dataset}") if dataset else ""
        why = "another run changed it while this one waited for its lock"
        yield refuse(f"{job.spec.name}: {why}. Next: {again or bootstrap_command(job.spec.name)}")


def _what(judged: Verdict, left: Unfinished | None) -> tuple[object, ...]:
    """Not the evidence: a disk that fails meanwhile is no reason to wait."""
    return judged.kind, judged.epoch, judged.imports, judged.disks, left
