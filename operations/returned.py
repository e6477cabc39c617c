"""After a node came back: what its vaults must know of it, the next replication, the fleet's files."""

from __future__ import annotations

import json
import time

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host as current
from pyinfra.context import state as current_state

from blackstart.change import shell
from blackstart.converge import vault as converge_vault
from blackstart.reading import Present
from blackstart.restore import adopt
from blackstart.restore.job import Job
from blackstart.restore.keeper import record_on
from blackstart.spec.fleet import Fleet
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import asked, bzfs, layout
from blackstart.vault.upload import beside, cleared
from blackstart.verdict_disks import members
from operations.common import Commands, refuse
from operations.host_shell import ShellError
from operations.record import answering, behind, readings, rewritten, store_command
from operations.vault_shell import on_vault, write


@operation()
def known_hosts(job: Job, fleet: Fleet) -> Commands:
    """A new machine has another host key, perhaps another address: its vaults reach it by what the fleet says now."""
    nodes = resolve_all(fleet)
    files = {
        layout.KNOWN_HOSTS: converge_vault.known_hosts(nodes),
        bzfs.SSH_CONFIG: converge_vault.ssh_config(nodes),
    }
    if not current_state.is_executing:
        return
    for vault in {job.vault, *answering(job.working)} & set(job.working.vaults):
        for path, text in files.items():
            try:
                if on_vault(vault, f"cat {shell(path)} 2>/dev/null || :", tries=2).strip() == text.strip():
                    continue
                fresh = shell(beside(*path.rsplit("/", 1)))
                put = f"cat > {fresh} && sync {fresh} && mv -T {fresh} {shell(path)}"
                on_vault(vault, f"umask 022 && {cleared(layout.CONFIG)} && {put}", text)
            except ShellError as error:
                if vault == job.vault:
                    yield refuse(f"{job.spec.name}: the vault does not know its host key: {error}")
                    return
                current.log_styled(f"vault {vault} does not know the host key of {job.spec.name}: {error}", fg="yellow")


@operation()
def epoch(job: Job) -> Commands:
    """The vault that restored has written the new epoch; the others are told."""
    for vault, found in readings(job.working).items():
        record = record_on(found, job.spec.name)
        if (job.spec.name, vault) in behind:
            continue  # what ended there is not put aside yet; by its older epoch the next run finds it
        if isinstance(record, Present) and record.value.epoch < job.verdict.epoch:
            yield FunctionCommand(_tell_epoch, (vault, job), {})


def _tell_epoch(state: State, host: Host, vault: str, job: Job) -> bool:
    document = {
        "patch": {"epoch": job.verdict.epoch},
        "event": {"event": "rebuilt elsewhere", "at": int(time.time()), "by": job.by, "vault": job.vault},
    }
    try:
        write(vault, job.spec.name, store_command(job.spec.name), json.dumps(document))
    except ShellError as error:
        host.log_styled(f"vault {vault} was not told the new epoch: {error}; the next run tells it", fg="yellow")
    rewritten(vault)
    return True


@operation()
def replicated(job: Job) -> Commands:
    """Ask every vault for one replication now: an incremental one proves that the chain lives on."""
    if current_state.is_executing and job.vault != job.spec.name:
        yield FunctionCommand(_replicate, (job,), {})


def _replicate(state: State, host: Host, job: Job) -> bool:
    for vault in answering(job.working):
        unit = f"blackstart-replicate@{job.spec.name}.service"
        try:
            ask = asked.ask(job.spec.name, f"after a restore by {job.by}")
            on_vault(vault, f"{ask}; {shell('systemctl', 'start', '--no-block', unit)}")
        except ShellError as error:
            host.log_styled(f"vault {vault} did not start to replicate: {error}; its timer will", fg="yellow")
    return True


@operation()
def written(job: Job) -> Commands:
    """Replacements that were given become the spec, as a commit where the fleet is a git repository.

    Once: to exchange A=B,B=C a second time would name C twice.
    """
    disks = job.verdict.disks or (job.unfinished.disks if job.unfinished else {})
    if current_state.is_executing and disks and _members(job.working) != _members(job.spec):
        for line in adopt.adopt(job.folder, job.spec.name, disks):
            current.log_styled(line, fg="yellow")
    return
    yield


def _members(spec: NodeSpec) -> dict[str, list[str]]:
    return {name: [member.id for member in members(pool)] for name, pool in spec.node.pools.items()}
