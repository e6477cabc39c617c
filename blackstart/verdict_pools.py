"""Where one recorded pool is: imported, on the disks, carried by an open rebuild, or nowhere. Pure; guids decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from blackstart.live.model import DiskLive, ImportableLive, Live, PoolLive
from blackstart.reading import Absent, Present, Unknown
from blackstart.vault.layout import parse_comment, pool_comment
from blackstart.vault.record import Record
from blackstart.verdict_disks import is_disk

State = Literal[
    "current",  # imported, recorded guid
    "carried",  # imported, made by the open rebuild
    "importable",  # on the disks under a recorded guid, or one of the open rebuild's
    "gone",  # nowhere: neither imported, nor importable, nor in any signature
    "foreign",  # that name, but not ours
    "superseded",  # ours, replaced by another pool since
    "ahead",  # ours, newer than the record: the vault is stale
    "unreadable",  # could not be told
    "broken",  # ours, but it cannot be imported or used as it is
]

_USABLE = ("ONLINE", "DEGRADED")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one pool, with the sentence that says so. `rebuild`: the open rebuild carries it."""

    pool: str
    state: State
    what: str
    guid: str = ""
    degraded: bool = False
    rebuild: bool = False


def claimed_epoch(comment: str, node: str) -> int | None:
    """The epoch in a pool's comment, when the comment is ours and `node`'s (whose name may be cut short there)."""
    parsed = parse_comment(comment)
    if parsed is None or comment != pool_comment(parsed[0], node):
        return None
    return parsed[0]


def find(name: str, record: Record, live: Live) -> Finding:
    """Where pool `name` of an enrolled node is. `live.zfs` absent means: judged by signatures alone."""
    on_disks = _signatures(live)
    if isinstance(live.zfs, Absent):
        return _by_signature(name, record, on_disks)
    if isinstance(live.zfs, Unknown):
        return Finding(name, "unreadable", f"ZFS: {live.zfs.why}")
    if isinstance(live.pools, Unknown):
        return Finding(name, "unreadable", f"imported pools could not be read: {live.pools.why}")
    imported = live.pools.value if isinstance(live.pools, Present) else {}
    if name in imported:
        return _imported(imported[name], record)
    if isinstance(live.importable, Unknown):
        return Finding(name, "unreadable", f"pools on the disks could not be read: {live.importable.why}")
    importable = live.importable.value if isinstance(live.importable, Present) else ()
    found = [_on_disks(pool, record) for pool in importable if _concerns(name, pool, record)]
    if found:
        return min(found, key=_weight)
    return _by_signature(name, record, on_disks, listed=True)


def guids(record: Record, name: str) -> set[str]:
    """Every guid under which pool `name` is ours now: the recorded one and the open rebuild's."""
    known = {record.pools[name].guid} if name in record.pools else set()
    if record.rebuild and name in record.rebuild.pools:
        known.add(record.rebuild.pools[name])
    return known


def _concerns(name: str, pool: ImportableLive, record: Record) -> bool:
    return pool.name == name or pool.guid in guids(record, name)


def _weight(finding: Finding) -> int:
    """Of several pools on the disks, the one that decides: ours and newer before ours and older before strangers."""
    return ("ahead", "importable", "broken", "superseded", "foreign").index(finding.state)


def _imported(pool: PoolLive, record: Record) -> Finding:
    judged = _judge(pool, record)
    if judged.state == "importable":
        if pool.state not in _USABLE:
            return Finding(pool.name, "broken", f"pool {pool.name} is imported but {pool.state}", pool.guid)
        state: State = "carried" if judged.rebuild else "current"
        what = f"pool {pool.name} is imported, guid {pool.guid}, {pool.state}"
        return Finding(pool.name, state, what, pool.guid, pool.state != "ONLINE", judged.rebuild)
    return judged


def _on_disks(pool: ImportableLive, record: Record) -> Finding:
    judged = _judge(pool, record)
    if judged.state != "importable":
        return judged
    if pool.state not in _USABLE:
        bad = ", ".join(f"{path} {state}" for path, state in pool.members if state != "ONLINE")
        what = f"pool {pool.name} (guid {pool.guid}) is on the disks but {pool.state}" + (f": {bad}" if bad else "")
        return Finding(pool.name, "broken", what, pool.guid)
    what = f"pool {pool.name} (guid {pool.guid}) is on the disks, not imported, {pool.state}"
    return Finding(pool.name, "importable", what, pool.guid, pool.state == "DEGRADED", judged.rebuild)


def _judge(claim: PoolLive | ImportableLive, record: Record) -> Finding:
    """Who a pool is, by guid first and its comment second; "importable" stands for "ours, and current"."""
    epoch = claimed_epoch(claim.comment, record.node)
    rebuild = record.rebuild
    recorded = claim.name in record.pools and record.pools[claim.name].guid == claim.guid
    written = rebuild is not None and rebuild.pools.get(claim.name) == claim.guid
    # An open rebuild gives its epoch to what it has made or written down, and to nothing that was there before: a
    # recorded pool that carries it already tells of a rebuild that this vault has not seen.
    latest = rebuild.epoch if rebuild and (written or not recorded) else record.epoch
    said = f"pool {claim.name} (guid {claim.guid})"
    if epoch is not None and epoch > latest:
        what = f"{said} carries epoch {epoch}, the vault knows only {latest}: the vault is stale"
        return Finding(claim.name, "ahead", what, claim.guid)
    if written:
        return Finding(claim.name, "importable", said, claim.guid, rebuild=True)
    if recorded:
        return Finding(claim.name, "importable", said, claim.guid)
    if epoch is None:
        owner = parse_comment(claim.comment)
        whose = f", its comment names {owner[1]}" if owner else ""
        known = record.pools[claim.name].guid if claim.name in record.pools else "none"
        what = f"{said} is not the recorded one (guid {known}){whose}"
        return Finding(claim.name, "foreign", what, claim.guid)
    if rebuild and epoch == rebuild.epoch and claim.name not in rebuild.pools:
        # Made by this rebuild, killed before its guid was written down.
        return Finding(claim.name, "importable", said, claim.guid, rebuild=True)
    what = f"{said} carries epoch {epoch} and was replaced since: the vault's record is at epoch {latest}"
    return Finding(claim.name, "superseded", what, claim.guid)


def _signatures(live: Live) -> tuple[DiskLive, ...] | Unknown:
    if isinstance(live.disks, Unknown):
        return live.disks
    return live.disks.value if isinstance(live.disks, Present) else ()


def _by_signature(name: str, record: Record, disks: tuple[DiskLive, ...] | Unknown, listed: bool = False) -> Finding:
    """What blkid alone tells. `listed`: `zpool import` answered and does not know the pool."""
    if isinstance(disks, Unknown):
        return Finding(name, "unreadable", f"disks could not be read: {disks.why}")
    ours = [d for d in disks if isinstance(d.signature, Present) and d.uuid and d.uuid in guids(record, name)]
    if ours:
        where = ", ".join(disk.path for disk in ours)
        guid = ours[0].uuid
        if listed:
            what = f"{where} carries pool {name} (guid {guid}), but zpool import does not list it"
            return Finding(name, "unreadable", what, guid)
        carried = bool(record.rebuild and record.rebuild.pools.get(name) == guid)
        what = f"{where} carries pool {name} (guid {guid}), not imported"
        return Finding(name, "importable", what, guid, rebuild=carried)
    for disk in disks:
        same_name = isinstance(disk.signature, Present) and disk.signature.value == "zfs_member" and disk.label == name
        if same_name and not listed:
            what = f"{disk.path} carries a pool {name} with guid {disk.uuid}, which is not the recorded one"
            return Finding(name, "foreign", what, disk.uuid)
    blind = next((d for d in disks if isinstance(d.signature, Unknown) and is_disk(d)), None)
    if blind and isinstance(blind.signature, Unknown):
        what = f"{blind.path} could not be read ({blind.signature.why}): pool {name} may be on it"
        return Finding(name, "unreadable", what)
    return Finding(name, "gone", f"pool {name} is nowhere on this machine")
