"""Who a pool really is, and which of several decides over a name. Calls nothing that is judged."""

from __future__ import annotations

from blackstart.torture.world import POOL, Pool, World
from blackstart.vault.record import Record


def claims(world: World, pool: Pool) -> int | None:
    """The epoch that a pool of this node carries; None for somebody else's, and where a hand wrote over it."""
    return pool.epoch if pool.owner == world.name and pool.comment.startswith("blackstart ") else None


def _who(world: World, pool: Pool, record: Record, labels: bool = False) -> str:
    """current, open (made by the rebuild that is open), ahead, superseded or foreign. `labels`: no comment is seen."""
    rebuild, said = record.rebuild, None if labels else claims(world, pool)
    recorded = pool.name in record.pools and record.pools[pool.name].guid == pool.guid
    written = rebuild is not None and rebuild.pools.get(pool.name) == pool.guid
    # Nobody but a rebuild that this vault has not seen gave a recorded pool a later epoch.
    latest = rebuild.epoch if rebuild and (written or not recorded) else record.epoch
    if said is not None and said > latest:
        return "ahead"
    if recorded or written:
        return "current" if recorded else "open"
    if said is None:
        return "foreign"
    if rebuild and said == rebuild.epoch and pool.name not in rebuild.pools:
        return "open"
    return "superseded"


def find(world: World, name: str, record: Record, tools: bool) -> tuple[str, Pool | None]:
    """What becomes of pool `name`: one of _who's words, broken, gone or unreadable; and the pool that decides."""
    if "zfs" in world.unread or (tools and "pools" in world.unread):
        return "unreadable", None
    if not tools:
        return _by_label(world, name, record)
    there = world.imported_as(name)
    if there:
        candidates = [there]
    elif "importable" in world.unread:
        return "unreadable", None
    else:
        ours = _ours(name, record)
        seen = [pool for pool in world.on_disks() if pool.guid not in world.imported]
        candidates = [pool for pool in seen if pool.name == name or pool.guid in ours]
    if not candidates:
        return ("unreadable" if _blind(world) else "gone"), None
    judged = [(_usable(world, pool, _who(world, pool, record)), pool) for pool in candidates]
    order = ("ahead", "current", "open", "broken", "superseded", "foreign")
    return min(judged, key=lambda each: order.index(each[0]))


def _usable(world: World, pool: Pool, who: str) -> str:
    return "broken" if who in ("current", "open") and world.state(pool) == "UNAVAIL" else who


def _ours(name: str, record: Record) -> set[str]:
    found = {record.pools[name].guid} if name in record.pools else set()
    return found | ({record.rebuild.pools[name]} if record.rebuild and name in record.rebuild.pools else set())


def _blind(world: World) -> bool:
    return "disks" in world.unread or any(not disk.readable for disk in world.disks.values())


def _by_label(world: World, name: str, record: Record) -> tuple[str, Pool | None]:
    """Without tools there are labels alone: name and guid, no comment."""
    if "disks" in world.unread:
        return "unreadable", None
    held = {disk.holds.removeprefix(POOL) for disk in world.disks.values() if disk.readable}
    seen = [world.pools[guid] for guid in held if guid in world.pools]
    ours = [pool for pool in seen if pool.guid in _ours(name, record)]
    if ours:
        return _who(world, ours[0], record, labels=True), ours[0]
    if any(pool.name == name for pool in seen):
        return "foreign", None
    return ("unreadable" if _blind(world) else "gone"), None
