"""After an older state came back the vaults' replicas are ahead of it: they are kept aside, and new chains begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
from blackstart.restore.lineage import aside_script, came_back, ended, is_left_behind
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.records import Replica
from blackstart.vault.restore_plan import RESTORED
from operations.common import Commands, refuse
from operations.host_shell import ShellError, run
from operations.live import live, spoil
from operations.record import answering, behind, forget, reading, readings
from operations.vault_shell import write


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

    The same of single datasets, which have no epoch: their own mark tells. Where that cannot be read or done, the vault
    does not learn the epoch: the next run that reaches it does both.
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
        replicas = replicas_on(said, spec.name)
        if epochs[vault] == max(epochs.values()):
            for dataset, guid in _left_behind(wanted, replicas.value) if isinstance(replicas, Present) else ():
                yield FunctionCommand(_aside, (vault, keepers(spec)[vault], spec.name, dataset, guid, False), {})
            continue
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


def _left_behind(wanted: Wanted, replicas: Mapping[str, Replica]) -> Iterator[tuple[str, str]]:
    """(dataset, guid it came back from): single datasets that came back while this vault could not put theirs aside.

    The node is asked only where a chain looks as if it had ended: by a reading that may be older than the vault's.
    """
    glance = ended(replicas, live(wanted, "pools"))
    if not current_state.is_executing or not isinstance(glance, Present) or not glance.value:
        return
    spoil("datasets", "snapshots")
    now = live(wanted, "datasets", "snapshots")
    over = ended(replicas, now, glance.value)
    snapshots = now.snapshots.value if isinstance(now.snapshots, Present) else {}
    for dataset in over.value if isinstance(over, Present) else ():
        try:
            mark = run(current, shell("zfs", "get", "-Hp", "-o", "value", RESTORED, dataset))
        except ShellError as error:
            current.log_styled(f"whether {dataset} came back could not be read: {error}", fg="yellow")
            continue
        guid = came_back(mark)
        if is_left_behind(replicas[dataset], {each.guid for each in snapshots.get(dataset, ())}, guid):
            yield dataset, guid


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
