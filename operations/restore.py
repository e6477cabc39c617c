"""The restore as an operation on the node: its side is prepared, then a unit on the vault does the work."""

from __future__ import annotations

import time
from dataclasses import replace

from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import state

from blackstart.change import shell
from blackstart.reading import Present
from blackstart.restore import names, steps, unit
from blackstart.restore.job import Job
from blackstart.restore.means import planned
from blackstart.restore.outline import Outline
from blackstart.restore.plan import plan, used_by
from blackstart.restore.show import as_text
from blackstart.secret import SecretError, dataset_key
from blackstart.spec.resolve import wanted_datasets
from blackstart.ssh import target
from blackstart.typed import by_blackstart
from blackstart.vault import layout
from blackstart.vault.records import VaultReading
from blackstart.vault.restore_plan import Plan, Target, dump
from operations import lock
from operations.common import Commands, Refusal, refuse, with_stdin
from operations.follow import follow
from operations.host_shell import ShellError
from operations.live import EVERYTHING, live, spoil
from operations.record import forget, reading
from operations.vault_shell import on_vault, settled, write, write_beside
from operations.verdict import known, say_once


def outline_of(job: Job, epoch: int, with_keys: bool) -> Outline:
    """What would come back, from the vault's reading of now. `with_keys`: also whether each key can be had."""
    found = reading(job.vault, job.vault_pool)
    about = known(job.working, job.asks.vault)
    assert isinstance(about.record, Present)
    readings = {**about.readings, job.vault: found}
    missing = _missing_keys(job) if with_keys else {}
    now = live(job.wanted, "pools", "datasets")
    return planned(job, about.record.value, readings, now, clock=_clock(found), keys=missing, epoch=epoch)


def _clock(found: VaultReading) -> int:
    """Ages are judged by the vault's clock: it was the vault's when the snapshots were asked for."""
    return found.clock.value if isinstance(found.clock, Present) else int(time.time())


def _missing_keys(job: Job) -> dict[str, str]:
    missing = {}
    for item in wanted_datasets(job.spec):
        if item.encryption:
            try:
                dataset_key(item.encryption, job.folder)
            except SecretError as error:
                missing[item.name] = str(error)
    return missing


def _keys(job: Job, made: Outline) -> dict[str, bytes]:
    return {
        each.dataset: dataset_key(each.wanted.encryption, job.folder)
        for each in made.chosen
        if each.encrypted and each.wanted.encryption
    }


def plan_of(job: Job, made: Outline, begun: int) -> Plan:
    """The plan for the vault. The pools must be there: their guids go into the record at the end."""
    user, address, port = target(job.spec.node)
    del user  # the vault comes as bs-restore
    pools = live(job.wanted, "pools").pools
    imported = pools.value if isinstance(pools, Present) else {}
    applied = {
        "digest": job.spec.digest(),
        "commit": job.commit,
        "by": job.by,
        "at": int(time.time()),
        "spec": job.spec.model_dump(mode="json", by_alias=True),
    }
    commit = {
        "host_key": job.spec.node.host_key,
        "applied": applied,
        "pools": {
            name: {
                "guid": imported[name].guid,
                "size": imported[name].size,
                "members": [member.id for vdev in pool.vdevs for member in vdev.members],
            }
            for name, pool in job.spec.node.pools.items()
            if name in imported
        },
    }
    return plan(
        made,
        job.wanted.containers,
        Target(address, port or 22, job.spec.node.host_key),
        vault_pool=job.vault_pool,
        now=_clock(reading(job.vault, job.vault_pool)),
        by=job.by,
        begun=begun,
        commit=None if job.asks.dataset else commit,
        details={"disks": job.verdict.disks},
    )


def _begun(job: Job, made: Outline) -> int:
    """When this began: with the rebuild, or with a run of the same restore that did not end. Raises ShellError."""
    record = known(job.working, job.asks.vault).record
    if isinstance(record, Present) and record.value.rebuild and not job.asks.dataset:
        return record.value.rebuild.started
    now = _clock(reading(job.vault, job.vault_pool))
    status = unit.parse_look(on_vault(job.vault, unit.look(job.spec.name), tries=3))
    before = on_vault(job.vault, unit.read_plan(job.spec.name), tries=3)
    return unit.begun(before, status, [(each.dataset, each.snapshot.guid) for each in made.chosen]) or now


@operation()
def prepared(job: Job, epoch: int) -> Commands:
    """User, gate, steps, keys and the permission to receive on the node; then the vault is given the plan."""
    made = outline_of(job, epoch, with_keys=state.is_executing)
    if made.refusals:
        yield refused(made)
        return
    try:
        todo = plan_of(job, made, _begun(job, made))
        public = reading(job.vault, job.vault_pool).keys
        if not isinstance(public, Present) or "restore" not in public.value:
            raise ShellError(f"vault {job.vault} has no restore key; run `pyinfra inventory deploys/vault.py`")
        keys = _keys(job, made) if state.is_executing else {}
    except (ShellError, SecretError, ValueError) as error:
        yield refuse(f"{job.spec.name}: {error}")
        return
    wanted = {item.name: item for item in wanted_datasets(job.spec)}
    comments = {
        name: layout.pool_comment(made.epoch, job.spec.name)
        for name, pool in job.spec.node.pools.items()
        if pool.managed
    }
    files = steps.files(todo, wanted, used_by(job.wanted.containers), comments) | steps.access(public.value["restore"])
    script = steps.install(steps.pools_of(todo))
    # The script stands in argv, the keys in it never: they come by stdin with everything else.
    yield with_stdin(shell("sh", "-c", script), steps.install_input(files, keys))
    yield FunctionCommand(_put_plan, (job, todo), {})
    spoil("users", "files", "delegations")


def _put_plan(state: State, host: Host, job: Job, todo: Plan) -> bool:
    node, otherwise = job.spec.name, "the plan did not reach the vault"
    try:
        settled(node)
    except ShellError as error:
        host.log_styled(f"{node}: {error}", fg="red")
        return False
    write_beside(job.vault, node, unit.put_plan(node), dump(todo), lambda said: None, otherwise)
    return True


def running(job: Job) -> bool:
    """Whether the vault is restoring this node right now. Raises ShellError, ValueError."""
    return unit.parse_look(on_vault(job.vault, unit.look(job.spec.name), tries=3)).active


@operation()
def started(job: Job) -> Commands:
    """Start the unit on the vault, of a restore that this run has prepared. The node's lock is handed over to it."""
    yield FunctionCommand(_start, (job,), {})
    spoil("datasets", "snapshots")


def _start(state: State, host: Host, job: Job) -> bool:
    try:
        settled(job.spec.name)
        lock.release(job.spec.name)
        on_vault(job.vault, unit.start(job.spec.name))
    except ShellError as error:
        host.log_styled(f"{job.spec.name}: the restore was not started: {error}", fg="red")
        return False
    return True


def host_is_ready(job: Job) -> bool:
    """Whether the host part of this restore is done, by this run or another. Raises ShellError."""
    return on_vault(job.vault, unit.is_host_ready(job.spec.name), tries=3).strip() == "yes"


@operation()
def ready(job: Job) -> Commands:
    """The host part is done, and would outlast a power cut: the unit may start containers."""
    yield shell("sync", "-f", "/etc", layout.STATE)
    yield FunctionCommand(_ready, (job,), {})


def _ready(state: State, host: Host, job: Job) -> bool:
    try:
        write(job.vault, job.spec.name, unit.say_host_ready(job.spec.name), tries=3)
    except ShellError as error:
        host.log_styled(f"{job.spec.name}: the vault was not told that the host is ready: {error}", fg="red")
        return False
    return True


@operation()
def restored(job: Job) -> Commands:
    """Follow the unit on the vault to its end. A terminal that goes away ends only the following."""
    yield FunctionCommand(_restored, (job,), {})
    spoil(EVERYTHING)


def _restored(state: State, host: Host, job: Job) -> bool:
    node = job.spec.name
    try:
        return follow(job)
    except (ShellError, ValueError) as error:
        host.log_styled(f"{node}: {error}", fg="red")
        return False
    finally:
        forget(job.vault)  # the unit has written its record meanwhile


@operation()
def revoked(job: Job) -> Commands:
    """What the vault was granted for a restore is taken back, should its unit not have come to it."""
    step = f"{names.STEPS}/revoke"
    if state.is_executing:
        yield f"if [ -x {shell(step)} ]; then {shell(step)}; fi"


def show(made: Outline) -> None:
    """The plan, for the person at the terminal.

    Why it is refused is in it only where pyinfra's own question stands between this and `refused`.
    """
    shown = replace(made, refusals=[], hindered=(), next_command="") if by_blackstart() else made
    say_once(as_text(shown), "yellow" if made.refusals or made.warnings else "cyan")


def refused(made: Outline) -> Refusal:
    """The command that refuses a plan, with every reason."""
    said = [*made.refusals, *([made.choice] if made.choice else [])]
    reasons = ".\n".join(f"{made.node}: {each}" for each in said)
    return refuse(f"{reasons}. Next: {made.next_command}")
