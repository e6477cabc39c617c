"""Pools: made once, for a node that is told to enroll, on members proven blank. Later only reported about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, report, unknown, update
from blackstart.converge.wanted import Wanted, WantedPool
from blackstart.live.model import DiskLive, Live, PoolLive
from blackstart.reading import Absent, Present, Unknown
from blackstart.spec.node import Member, Vdev
from blackstart.vault.layout import parse_comment, pool_comment

BY_ID = "/dev/disk/by-id"
# For the pool's root dataset, at creation: nothing lives in it, children inherit the rest.
ROOT = {"acltype": "posixacl", "canmount": "off", "compression": "lz4", "mountpoint": "none", "xattr": "sa"}


def diff(wanted: Wanted, live: Live) -> list[Change]:
    pools = known(live.pools)
    if isinstance(pools, Unknown):
        return unknown("pool", wanted.pools, pools)
    changes = []
    for name, pool in wanted.pools.items():
        if name in pools:
            changes += _compare(name, pool, pools[name], live)
        elif pool.managed:
            changes.append(create("pool", name))
        else:
            changes.append(report("pool", name, "", "there (managed = false)", ""))
    return changes


def at_epoch(wanted: Wanted, epoch: int | None) -> Wanted:
    """`wanted` of a node whose record says `epoch`; None: it has no record yet, or none that could be read."""
    return replace(wanted, pools={name: replace(pool, epoch=epoch) for name, pool in wanted.pools.items()})


def _compare(name: str, pool: WantedPool, live: PoolLive, host: Live) -> list[Change]:
    changes = []
    if live.state != "ONLINE":
        changes.append(report("pool", name, "state", "ONLINE", live.state))
    if pool.managed:
        changes += _comment(name, pool, live)
    datasets = host.datasets.value if isinstance(host.datasets, Present) else {}
    if name in datasets and pool.managed:
        for key, value in sorted(pool.properties.items()):
            found = datasets[name].properties.get(key)
            if found is None:
                changes.append(Change("pool", name, key, value, "the property was not read", "unknown"))
            elif found[0] != value:
                changes.append(update("pool", name, key, value, found[0]))
    return changes


def _comment(name: str, pool: WantedPool, live: PoolLive) -> list[Change]:
    """An empty comment is filled where the epoch is known; another epoch's or tool's is a person's business."""
    ours = parse_comment(live.comment)
    comment = pool_comment(pool.epoch or 1, pool.node)
    if pool.epoch is not None and live.comment.strip() in ("", "-"):
        return [update("pool", name, "comment", comment, "")]
    if ours is None or live.comment != pool_comment(ours[0], pool.node):
        return [report("pool", name, "comment", comment, live.comment)]
    if pool.epoch is not None and ours[0] != pool.epoch:
        return [report("pool", name, "comment", comment, live.comment)]
    return []


def layout(vdevs: tuple[Vdev, ...], disks: dict[str, str] | None = None) -> list[str]:
    """zpool's words for the vdevs. `disks`: id in the spec -> id of the disk that stands in for it."""
    words: list[str] = []
    for role in ("data", "special", "log", "cache", "spare"):
        for number, vdev in enumerate(each for each in vdevs if each.role == role):
            # `spare` and `cache` take one list; repeated, zpool would still read them, but says it once.
            if role != "data" and (number == 0 or role not in ("spare", "cache")):
                words.append(role)
            if vdev.type != "disk" and role not in ("spare", "cache"):
                words.append(vdev.type)
            words += [f"{BY_ID}/{(disks or {}).get(member.id, member.id)}" for member in vdev.members]
    return words


def managed(wanted: Wanted) -> list[str]:
    """Names of the pools that this tool may make."""
    return [name for name, pool in wanted.pools.items() if pool.managed]


def with_disks(change: Change, wanted: Wanted, disks: dict[str, str]) -> Change:
    """A missing pool's change with the disks it will be made of; any other as it is."""
    if change.action != "create":
        return change
    words = layout(wanted.pools[change.name].vdevs, disks)
    return replace(change, spec=" ".join(word.removeprefix(f"{BY_ID}/") for word in words))


def create_command(name: str, pool: WantedPool, disks: dict[str, str] | None = None, epoch: int | None = None) -> str:
    """`zpool create`, never with -f: zpool's own refusal to overwrite is the last guard."""
    root = [part for key, value in sorted((ROOT | pool.properties).items()) for part in ("-O", f"{key}={value}")]
    comment = pool_comment(epoch or pool.epoch or 1, pool.node)
    options = ["-o", f"ashift={pool.ashift}", "-o", f"comment={comment}", "-o", "cachefile=/etc/zfs/zpool.cache"]
    return shell("zpool", "create", *options, *root, name, *layout(pool.vdevs, disks))


def import_command(guid: str) -> str:
    """`zpool import` by guid, of a pool that the record names. -f: the last owner's hostid is another machine's.

    -N: mounting is the business of the datasets, once the epoch was looked at.
    """
    return shell("zpool", "import", "-N", "-f", "-o", "cachefile=/etc/zfs/zpool.cache", guid)


def refusal(name: str, pool: WantedPool, live: Live, disks: dict[str, str] | None = None) -> str | None:
    """Why the pool may not be made on these members, as one sentence; None when every one is proven blank."""
    if isinstance(live.disks, Unknown):
        return f"pool {name}: the disks could not be read ({live.disks.why}); nothing is created"
    if isinstance(live.importable, Unknown):
        return f"pool {name}: it could not be read which pools lie on the disks ({live.importable.why})"
    found = live.disks.value if isinstance(live.disks, Present) else ()
    for member in _members(pool):
        identity = (disks or {}).get(member.id, member.id)
        disk = next((disk for disk in found if identity in disk.ids), None)
        why = _not_blank(identity, member, disk, found)
        if why:
            return f"pool {name}: {why}"
    return None


def _members(pool: WantedPool) -> Iterator[Member]:
    for vdev in pool.vdevs:
        yield from vdev.members


def _not_blank(identity: str, member: Member, disk: DiskLive | None, disks: tuple[DiskLive, ...]) -> str | None:
    if disk is None:
        return f"there is no disk {identity} on this host; give another with --data disks={member.id}=ID"
    if disk.size < member.size:
        return f"{identity} ({disk.path}) has {disk.size} bytes, the spec wants at least {member.size}"
    if disk.mounted:
        return f"{identity} ({disk.path}) is mounted at {disk.mounted[0]}"
    for part in (disk, *(each for each in disks if each.parent == disk.path)):
        if isinstance(part.signature, Unknown):
            return f"it could not be read what is on {identity} ({part.path}): {part.signature.why}"
        kind = "" if isinstance(part.signature, Absent) else part.signature.value
        if kind or part is not disk:
            what = f"{kind or 'a partition'} {part.label}".strip()
            return f"{identity} is not blank ({part.path} carries {what}); nothing is overwritten"
    return None


def commands(changes: list[Change]) -> list[str]:
    """Commands for pools that are there; creation is `create_command`, behind the guard and `refusal`."""
    lines = []
    for change in changes:
        if change.action == "update" and change.field == "comment":
            lines.append(shell("zpool", "set", f"comment={change.spec}", change.name))
        elif change.action == "update":
            lines.append(shell("zfs", "set", f"{change.field}={change.spec}", change.name))
    return lines


def replacements(text: str) -> dict[str, str]:
    """`old=new,old2=new2` of --data disks. An id may hold `=` itself only behind the first one. Raises ValueError."""
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        old, found, new = pair.partition("=")
        if not found or not old or not new:
            raise ValueError(f"--data disks: {pair!r} is not OLD=NEW")
        pairs[old] = new
    return pairs
