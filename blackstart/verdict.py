"""What a node is, judged from three things: its spec as last applied, the vault's record, a live reading. Pure.

Precedence: what could not be read, then what is somebody else's, then what is ours and outdated; only when none of
these is left can a pool be created, imported or left alone. A pool is created only for a node that a vault's record
names, and only on members proven blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import ValidationError

from blackstart.change import shell
from blackstart.live.model import ImportableLive, Live, PoolLive
from blackstart.reading import Absent, Present, Reading, Unknown
from blackstart.spec.node import Pool
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import Record
from blackstart.verdict_disks import members
from blackstart.verdict_members import Choice, choose
from blackstart.verdict_pools import Finding, claimed_epoch, find

Kind = Literal["intact", "resuming", "importable", "blank", "new", "foreign", "superseded", "unknown"]

# A new machine has another address and another host key: these are the working tree's, whatever was applied last.
REACHED = ("ssh", "sudo", "host_key", "replacement", "provider")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a node is, why, and what may be done. `refusal` (one sentence) always comes with `next_command`.

    `epoch`: the one the node has, or will have after the rebuild. `create`: pools to make, members replaced as in
    `disks` (recorded id -> replacement). `imports`: pool name -> guid to import.
    """

    node: str
    kind: Kind
    evidence: tuple[str, ...]
    refusal: str = ""
    next_command: str = ""
    epoch: int = 0
    create: dict[str, Pool] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


def bootstrap_command(node: str, **data: str) -> str:
    """The command a person goes on with, with `--data key=value` for each of `data`."""
    extra = [word for key, value in data.items() for word in ("--data", f"{key}={value}")]
    return shell("pyinfra", "inventory", "deploys/bootstrap.py", "--limit", node, *extra)


def judge(spec: NodeSpec, record: Reading[Record], live: Live, disks: Mapping[str, str] | None = None) -> Verdict:
    """The verdict over node `spec.name`. `disks`: replacements given by the operator (recorded id -> new id).

    `spec` is the working tree's; where the record holds an applied spec, that one counts.
    """
    if isinstance(record, Unknown):
        return _unknown(spec, f"the vault's record could not be read: {record.why}")
    if isinstance(record, Absent):
        return _unenrolled(spec, live, disks or {})
    applied = recorded_spec(record.value)
    if isinstance(applied, Unknown):
        return _unknown(spec, f"the applied spec in the vault's record could not be read: {applied.why}")
    if record.value.retired:
        why = f"the record says that {spec.name} was retired"
        return _refuse(spec, "superseded", (), why, shell("blackstart", "why", spec.name))
    known = applied.value if isinstance(applied, Present) else spec
    return _enrolled(as_applied(known, spec), record.value, live, disks or {})


def recorded_spec(record: Record) -> Reading[NodeSpec]:
    """The spec as last applied; absent while none was."""
    if record.applied is None:
        return Absent()
    try:
        return Present(NodeSpec.model_validate(record.applied.spec))
    except ValidationError as error:
        first = error.errors()[0]
        return Unknown(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")


def as_applied(applied: NodeSpec, working: NodeSpec) -> NodeSpec:
    """The applied spec, reached as the working tree says."""
    how = {key: getattr(working.node, key) for key in REACHED}
    return applied.model_copy(update={"node": applied.node.model_copy(update=how)})


def _refuse(spec: NodeSpec, kind: Kind, evidence: tuple[str, ...], why: str, then: str, epoch: int = 0) -> Verdict:
    return Verdict(spec.name, kind, evidence or (why,), why, then, epoch)


def _unknown(spec: NodeSpec, why: str) -> Verdict:
    return _refuse(spec, "unknown", (), why, shell("blackstart", "why", spec.name))


def _look(spec: NodeSpec, *command: str) -> str:
    target, _, port = spec.node.ssh.partition(":") if spec.node.ssh.count(":") == 1 else (spec.node.ssh, "", "")
    return shell("ssh", *(["-p", port] if port else []), target, *command)


def _enrolled(spec: NodeSpec, record: Record, live: Live, disks: Mapping[str, str]) -> Verdict:
    found = {name: find(name, record, live) for name, pool in spec.node.pools.items() if pool.managed}
    evidence = tuple(finding.what for finding in found.values())
    refused = _refused_finding(spec, record, evidence, list(found.values()))
    if refused:
        return refused
    if isinstance(live.pools, Unknown) and not isinstance(live.zfs, Absent):
        return _unknown(spec, f"imported pools could not be read: {live.pools.why}")
    verdict = _usable(spec, record, live, found, evidence, disks)
    return verdict if verdict.refusal else _with_unmanaged(spec, live, verdict)


def _refused_finding(spec: NodeSpec, record: Record, evidence: tuple[str, ...], found: list[Finding]) -> Verdict | None:
    """The first pool that forbids to go on, by precedence; None when each can be used, imported or made."""
    order: tuple[tuple[str, Kind, str], ...] = (
        ("unreadable", "unknown", shell("blackstart", "why", spec.name)),
        ("ahead", "unknown", shell("blackstart", "why", spec.name)),
        ("foreign", "foreign", _look(spec, "zpool status -v; zpool import")),
        ("superseded", "superseded", shell("blackstart", "why", spec.name)),
        ("broken", "importable", _look(spec, "zpool status -v; zpool import")),
    )
    for state, kind, then in order:
        for finding in found:
            if finding.state == state:
                return _refuse(spec, kind, evidence, finding.what, then, record.epoch)
    old = [finding for finding in found if finding.state in ("current", "importable") and not finding.rebuild]
    if record.rebuild and old and not any(finding.rebuild for finding in found) and not _lost_beside(found):
        why = (
            f"a rebuild to epoch {record.rebuild.epoch} is open (begun by {record.rebuild.by}), "
            f"but this machine still carries pool {old[0].pool} of epoch {record.epoch}"
        )
        then = shell("blackstart", "rebuild", spec.name, "--abandon")
        return _refuse(spec, "superseded", evidence, why, then, record.epoch)
    return None


def _lost_beside(found: list[Finding]) -> bool:
    """Some pools are there and some are nowhere: one of several pools was lost, and its rebuild is open."""
    return any(finding.state == "gone" for finding in found)


def _usable(
    spec: NodeSpec,
    record: Record,
    live: Live,
    found: dict[str, Finding],
    evidence: tuple[str, ...],
    disks: Mapping[str, str],
) -> Verdict:
    imports = {name: finding.guid for name, finding in found.items() if finding.state == "importable"}
    gone = [name for name, finding in found.items() if finding.state == "gone"]
    degraded = tuple(name for name, finding in found.items() if finding.degraded)
    carried = any(finding.rebuild for finding in found.values())
    opened = record.rebuild
    if not gone and not imports and not opened:
        return Verdict(spec.name, "intact", evidence, epoch=record.epoch, degraded=degraded)
    epoch = opened.epoch if opened else record.epoch + (1 if gone else 0)
    if opened:
        evidence += (f"a rebuild to epoch {opened.epoch} is open, begun by {opened.by}",)
        disks = {**opened.disks, **disks}
    kind: Kind = "resuming" if carried else "blank" if gone else "importable"
    verdict = Verdict(spec.name, kind, evidence, "", "", epoch, {}, imports, dict(disks), degraded)
    return _with_members(spec, live, verdict, {name: spec.node.pools[name] for name in gone}) if gone else verdict


def _with_members(spec: NodeSpec, live: Live, verdict: Verdict, pools: dict[str, Pool]) -> Verdict:
    """`verdict` with the pools to create on proven blank members, or refused with the line to go on with."""
    if isinstance(live.disks, Unknown):
        return _unknown(spec, f"disks could not be read: {live.disks.why}")
    disks = live.disks.value if isinstance(live.disks, Present) else ()
    choice = choose(pools, verdict.disks, disks, spec.node.replacement == "any-blank")
    if choice.bad:
        return _refused_members(spec, verdict, choice)
    said = tuple(
        f"pool {name} can be made on {', '.join(member.id for member in members(pool))}: blank and large enough"
        for name, pool in choice.pools.items()
    )
    if choice.taken:
        said += ('replacement = "any-blank": taken without asking',)
    return replace(verdict, create=choice.pools, disks=choice.disks, evidence=verdict.evidence + said)


def _refused_members(spec: NodeSpec, verdict: Verdict, choice: Choice) -> Verdict:
    kinds = {obstacle.kind for obstacle in choice.bad}
    kind: Kind = "unknown" if "unreadable" in kinds else "foreign" if "taken" in kinds else verdict.kind
    why = "; ".join(dict.fromkeys(obstacle.what for obstacle in choice.bad))
    if choice.proposal and choice.fits:
        why += "; blank and large enough: " + ", ".join(choice.proposal.values())
        together = choice.disks | choice.proposal
        line = ",".join(f"{old}={new}" for old, new in together.items())
        then = _go_on(spec, verdict, disks=line)
    else:
        why += "; no other blank disk is large enough"
        then = _look(spec, "lsblk -o NAME,SIZE,FSTYPE,LABEL,SERIAL")
    return replace(verdict, kind=kind, refusal=why, next_command=then, evidence=(*verdict.evidence, why))


def _go_on(spec: NodeSpec, verdict: Verdict, **data: str) -> str:
    if verdict.kind != "new":
        return bootstrap_command(spec.name, **data)
    # A node that was never there has no recorded disk to be replaced: its spec is simply wrong.
    return shell("blackstart", "spec", "show", spec.name)


def _with_unmanaged(spec: NodeSpec, live: Live, verdict: Verdict) -> Verdict:
    """Pools with `managed = false` must exist; nobody but the operator makes or imports them."""
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    for name, pool in spec.node.pools.items():
        if not pool.managed and name not in pools:
            why = f"pool {name} is not imported, and managed = false leaves it to you"
            then = _look(spec, shell("zpool", "import", name))
            return replace(verdict, refusal=why, next_command=then, evidence=(*verdict.evidence, why))
    return verdict


def _unenrolled(spec: NodeSpec, live: Live, disks: Mapping[str, str]) -> Verdict:
    """The vault answered and has no record: new, unless somebody's data or an older life of the node is there."""
    if isinstance(live.zfs, Unknown):
        return _unknown(spec, f"ZFS: {live.zfs.why}")
    tools = isinstance(live.zfs, Present)
    if tools and (isinstance(live.pools, Unknown) or isinstance(live.importable, Unknown)):
        reading = live.pools if isinstance(live.pools, Unknown) else live.importable
        assert isinstance(reading, Unknown)
        return _unknown(spec, f"pools could not be read: {reading.why}")
    said = f"the vault answered and has no record of {spec.name}"
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    listed = live.importable.value if isinstance(live.importable, Present) else ()
    begun = pool_comment(1, spec.name)
    every: list[PoolLive | ImportableLive] = [*pools.values(), *listed]
    for pool in every:
        epoch = claimed_epoch(pool.comment, spec.name)
        if epoch is not None and epoch > 1:
            why = f"pool {pool.name} (guid {pool.guid}) carries epoch {epoch} of {spec.name}, but {said}: it is stale"
            return _unknown(spec, why)
        managed = pool.name in spec.node.pools and spec.node.pools[pool.name].managed
        if managed and (pool.comment != begun or pool.name not in pools):
            why = f"a pool {pool.name} (guid {pool.guid}) that no record names is on this machine, and {said}"
            return _refuse(spec, "foreign", (), why, _look(spec, "zpool status -v; zpool import"))
    there = [name for name, pool in spec.node.pools.items() if pool.managed and name in pools]
    evidence = (said, *(f"pool {name} was made by an enrolment that did not finish" for name in there))
    verdict = Verdict(spec.name, "new", evidence, epoch=1)
    absent = {name: pool for name, pool in spec.node.pools.items() if pool.managed and name not in pools}
    verdict = _with_members(spec, live, verdict, absent) if absent else verdict
    return verdict if verdict.refusal else _with_unmanaged(spec, live, verdict)
