"""What a node is, judged from three things: its spec as last applied, the vault's record, a live reading. Pure.

Precedence: what could not be read, then what is somebody else's, then what is ours and outdated; only when none of
these is left can a pool be created, imported or left alone. A pool is created only for a node that a vault's record
names, and only on members proven blank.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import Absent, Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.verdict_create import with_members, with_unmanaged
from blackstart.verdict_disks import members
from blackstart.verdict_new import unenrolled
from blackstart.verdict_pools import Finding, find
from blackstart.verdict_shape import Kind, Verdict, bootstrap_command, look, refuse, unknown

__all__ = ["Kind", "Verdict", "as_applied", "bootstrap_command", "judge", "recorded_spec"]

# A new machine has another address and another host key: these are the working tree's, whatever was applied last.
REACHED = ("ssh", "sudo", "host_key", "replacement", "provider")


def judge(spec: NodeSpec, record: Reading[Record], live: Live, disks: Mapping[str, str] | None = None) -> Verdict:
    """The verdict over node `spec.name`. `disks`: replacements given by the operator (recorded id -> new id).

    `spec` is the working tree's; where the record holds an applied spec, that one counts.
    """
    if isinstance(record, Unknown):
        return unknown(spec, f"the vault's record could not be read: {record.why}")
    if isinstance(record, Absent):
        return unenrolled(spec, live, disks or {})
    applied = recorded_spec(record.value)
    if isinstance(applied, Unknown):
        return unknown(spec, f"the applied spec in the vault's record could not be read: {applied.why}")
    if record.value.retired:
        why = f"the record says that {spec.name} was retired"
        return refuse(spec, "superseded", (), why, shell("blackstart", "why", spec.name))
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


def _enrolled(spec: NodeSpec, record: Record, live: Live, disks: Mapping[str, str]) -> Verdict:
    found = {name: find(name, record, live) for name, pool in spec.node.pools.items() if pool.managed}
    evidence = tuple(finding.what for finding in found.values())
    refused = _refused_finding(spec, record, evidence, list(found.values()))
    if refused:
        return refused
    if isinstance(live.pools, Unknown) and not isinstance(live.zfs, Absent):
        return unknown(spec, f"imported pools could not be read: {live.pools.why}")
    verdict = _usable(spec, record, live, found, evidence, disks)
    return verdict if verdict.refusal else with_unmanaged(spec, live, verdict)


def _refused_finding(spec: NodeSpec, record: Record, evidence: tuple[str, ...], found: list[Finding]) -> Verdict | None:
    """The first pool that forbids to go on, by precedence; None when each can be used, imported or made."""
    order: tuple[tuple[str, Kind, str], ...] = (
        ("unreadable", "unknown", shell("blackstart", "why", spec.name)),
        ("ahead", "unknown", shell("blackstart", "why", spec.name)),
        ("foreign", "foreign", look(spec, "zpool status -v; zpool import")),
        ("superseded", "superseded", shell("blackstart", "why", spec.name)),
        ("broken", "importable", look(spec, "zpool status -v; zpool import")),
    )
    for state, kind, then in order:
        for finding in found:
            if finding.state == state:
                return refuse(spec, kind, evidence, finding.what, then, record.epoch)
    old = [finding for finding in found if finding.state in ("current", "importable") and not finding.rebuild]
    if record.rebuild and old and not any(finding.rebuild for finding in found) and not _lost_beside(found):
        why = (
            f"a rebuild to epoch {record.rebuild.epoch} is open (begun by {record.rebuild.by}), "
            f"but this machine still carries pool {old[0].pool} of epoch {record.epoch}"
        )
        then = shell("blackstart", "rebuild", spec.name, "--abandon")
        return refuse(spec, "superseded", evidence, why, then, record.epoch)
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
    # A replacement left on the command line says nothing about pools that are there.
    lost = {member.id for name in gone for member in members(spec.node.pools[name])}
    disks = {old: new for old, new in disks.items() if old in lost}
    if record.unfinished:
        evidence += ("its data is back, but what follows a restore was not done; bootstrap.py goes on with it",)
    if not gone and not imports and not opened:
        return Verdict(spec.name, "intact", evidence, epoch=record.epoch, degraded=degraded)
    epoch = opened.epoch if opened else record.epoch + (1 if gone else 0)
    if opened:
        evidence += (f"a rebuild to epoch {opened.epoch} is open, begun by {opened.by}",)
        disks = {**opened.disks, **disks}
    kind: Kind = "resuming" if carried else "blank" if gone else "importable"
    verdict = Verdict(spec.name, kind, evidence, "", "", epoch, {}, imports, dict(disks), degraded)
    return with_members(spec, live, verdict, {name: spec.node.pools[name] for name in gone}) if gone else verdict
