"""Is it enrolled, is it what its record says, is its layout recorded, has it lost something? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.live.model import DiskLive, PoolLive
from blackstart.reading import Absent, Present, Unknown
from blackstart.typed import as_rebuild
from blackstart.verdict import judge
from blackstart.verdict_datasets import judge_datasets
from blackstart.verdict_disks import by_id

_NAME_A_VAULT = "name another node that is a vault in replication.targets"


def recorded(about: About) -> Iterator[Finding]:
    """A record on a vault, a spec in it, and each pool with the disks that it is made of."""
    node, record = about.node, about.case.record
    if not set(about.case.vaults) - {node}:
        why = "no other vault keeps it: what only it holds, its own record too, is lost with its pool"
        yield about.lacks("vault", node, "", why, _NAME_A_VAULT)
    if not about.case.vaults:
        return
    if isinstance(record, Unknown):
        yield about.unread("record", node, "", record.why)
    elif isinstance(record, Absent):
        why = "no vault has a record of it: it was never enrolled, nothing of it would come back"
        yield about.lacks("record", node, "", why, shell("blackstart", "enroll", node))
    else:
        yield from _record(about)


def _record(about: About) -> Iterator[Finding]:
    assert about.record is not None
    apply = shell("blackstart", "apply", about.node)
    if about.record.applied is None:
        yield about.lacks("record", about.node, "spec", "no spec was ever applied to it", apply)
    if about.record.unfinished is not None:
        why = "its data is back, but what follows a restore was not done"
        yield about.lacks("record", about.node, "unfinished", why, shell("blackstart", "rebuild", about.node))
    for name, pool in about.spec.node.pools.items():
        known = about.record.pools.get(name)
        if not pool.managed:
            continue
        if known is None or not known.members:
            yield about.lacks("pool", name, "recorded", "its guid and disks were not recorded", apply)


def members(about: About) -> Iterator[Finding]:
    """Disks that were exchanged by hand since: a rebuild would ask for those that are gone."""
    pools, disks = about.live.pools, about.live.disks
    unread = next((each.why for each in (pools, disks) if isinstance(each, Unknown)), "")
    if unread:
        yield about.unread("pool", about.node, "members", unread)
    if about.record is None or not isinstance(pools, Present) or not isinstance(disks, Present):
        return
    for name, known in about.record.pools.items():
        pool = pools.value.get(name)
        gone = [each for each in known.members if pool and not _carries(pool, each, disks.value)]
        if gone:
            why = f"it is recorded on {', '.join(gone)}, and lies on other disks now: a rebuild would ask for those"
            remedy = f"name its disks in nodes/{about.node}.toml, then {shell('blackstart', 'apply', about.node)}"
            yield about.lacks("pool", name, "members", why, remedy)


def _carries(pool: PoolLive, member: str, disks: tuple[DiskLive, ...]) -> bool:
    """Whether a leaf of the pool is this disk, or a partition of it: ZFS makes one on a disk that it has whole."""
    disk = by_id(disks).get(member)
    same = [each for each in disks if disk and disk.path in (each.path, each.parent)]
    mine = {member, *(name for each in same for name in (each.path, *each.ids))}
    leaves = [(path, path.rpartition("/")[2]) for path, _ in pool.members]
    return any(path in mine or name in mine or name.rpartition("-part")[0] == member for path, name in leaves)


def verdict(about: About) -> Iterator[Finding]:
    """The verdict that guards every deploy: a node that is not intact is not what its record says."""
    if about.record is None:
        return  # said by `recorded`
    found = judge(about.case.spec, Present(about.record), about.live)
    then = as_rebuild(found.next_command) or shell("blackstart", "rebuild", about.node)
    if found.kind == "unknown":
        yield about.unread("node", about.node, "verdict", found.refusal)
    elif found.kind != "intact" or found.refusal:
        yield about.lacks("node", about.node, "verdict", found.refusal or found.evidence[0], then, live=found.kind)


def lost_datasets(about: About) -> Iterator[Finding]:
    """Those that a vault has and the node has not."""
    if about.record is None:
        return
    if isinstance(about.live.datasets, Unknown):
        yield about.unread("dataset", about.node, "lost", about.live.datasets.why)
        return
    for name, found in judge_datasets(about.record, about.live).items():
        if found.kind == "lost":
            yield about.lacks("dataset", name, "lost", found.why, found.next_command)
