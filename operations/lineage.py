"""After an older state came back the vaults' replicas are ahead of it: they are kept aside, and new chains begin."""

from __future__ import annotations

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host as current
from pyinfra.context import state as current_state

from blackstart.change import shell
from blackstart.converge.wanted import Wanted
from blackstart.reading import Present, Unknown
from blackstart.restore.job import Job
from blackstart.restore.keeper import keepers, record_on, replicas_on
from blackstart.restore.lineage import aside_script, ended
from blackstart.spec.resolve import NodeSpec
from operations.common import Commands, refuse
from operations.live import live, spoil
from operations.record import answering, behind, forget, reading, readings
from operations.vault_shell import ShellError, write


@operation()
def begun(job: Job) -> Commands:
    """On each vault that answers: what came back in an older state than the replica has, begins a new chain."""
    node = job.spec.name
    record = record_on(reading(job.vault, job.vault_pool), node)
    mark = record.value.unfinished if isinstance(record, Present) else None
    if not current_state.is_executing or mark is None:
        return
    asked = {job.vault, *answering(job.working)}
    for vault in asked:
        forget(vault)
    found = {vault: readings(job.working)[vault] for vault in asked}
    spoil("datasets", "snapshots")  # younger than what the vaults said
    now = live(job.wanted, "datasets", "snapshots")
    for vault, said in sorted(found.items()):
        replicas = replicas_on(said, node)
        over = ended(replicas.value, now, mark.datasets) if isinstance(replicas, Present) else replicas
        if isinstance(over, Unknown):
            if vault == job.vault:
                yield refuse(_unread(node, vault, over))
                return
            current.log_styled(_unread(node, vault, over), fg="yellow")
        elif isinstance(over, Present):
            for dataset in over.value:
                arguments = (vault, keepers(job.working)[vault], node, dataset, mark.datasets[dataset])
                yield FunctionCommand(_aside, (*arguments, vault == job.vault), {})


@operation()
def healed(wanted: Wanted, spec: NodeSpec) -> Commands:
    """A vault that was away during a rebuild holds chains that ended then. Before it learns the epoch.

    Where that cannot be read or done, it does not learn the epoch: the next run that reaches it does both.
    """
    found = readings(spec)
    epochs = {
        vault: record.value.epoch
        for vault, said in found.items()
        if isinstance(record := record_on(said, spec.name), Present)
    }
    if len(set(epochs.values())) > 1:
        spoil("datasets", "snapshots")  # younger than what the vaults said
    for vault, said in sorted(found.items()):
        behind.discard((spec.name, vault))
        if vault not in epochs:
            if isinstance(record_on(said, spec.name), Unknown):
                behind.add((spec.name, vault))  # it may answer before this run is over
            continue
        if epochs[vault] == max(epochs.values()):
            continue
        replicas = replicas_on(said, spec.name)
        over = (
            ended(replicas.value, live(wanted, "datasets", "snapshots")) if isinstance(replicas, Present) else replicas
        )
        if isinstance(over, Unknown):
            behind.add((spec.name, vault))
            current.log_styled(_unread(spec.name, vault, over), fg="yellow")
        elif isinstance(over, Present):
            for dataset in over.value:
                arguments = (vault, keepers(spec)[vault], spec.name, dataset, f"e{max(epochs.values())}", False)
                yield FunctionCommand(_aside, arguments, {})


def _unread(node: str, vault: str, over: Unknown) -> str:
    return f"{node}: whether its replicas on {vault} go on could not be read: {over.why}"


def _aside(
    state: State, host: Host, vault: str, pool: str, node: str, dataset: str, word: str, mandatory: bool
) -> bool:
    try:
        said = write(vault, node, shell("sh", "-c", aside_script(pool, node, dataset, word)))
        host.log_styled(f"the newer replica of {dataset} is kept on {vault} as {said.strip()}", fg="yellow")
        forget(vault)
    except ShellError as error:
        why = f"the replica of {dataset} on {vault} is ahead of what came back and could not be put aside: {error}"
        host.log_styled(why, fg="red" if mandatory else "yellow")
        behind.add((node, vault))
        return not mandatory
    return True
