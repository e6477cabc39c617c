"""What the verdict must be: from what was done to the world, by who each pool really is. Calls nothing that is judged.

The words of the verdict table (docs/disaster-recovery.md): what cannot be known first, then what is somebody else's,
then what is ours and outdated; only then is a pool made, imported or left alone.
"""

from __future__ import annotations

from blackstart.spec.node import Member, Vdev
from blackstart.spec.resolve import NodeSpec
from blackstart.torture.expected_data import Expected, data, refused
from blackstart.torture.expected_pools import claims, find
from blackstart.torture.world import Disk, Vault, World
from blackstart.vault.record import Record


def expected(world: World) -> Expected:
    """The verdict over the world's node as it is now, whose word it is, and what may come of it."""
    heard = [each for each in world.vaults.values() if not each.says and not each.torn]
    knows = [each for each in heard if each.record]
    if not knows:
        if len(heard) < len(world.vaults):
            return refused("unknown", "no vault that answered knows the node, and not all answered")
        return _new(world)
    vault = max(knows, key=_counts)
    assert vault.record
    if vault.record.retired:
        return refused("superseded", "it was retired")
    found = _first_look(world, vault, vault.record)
    found.doubt = any(each.says or each.torn or not each.set_up for each in world.vaults.values() if each is not vault)
    found.vault = vault.name
    return found


def _counts(vault: Vault) -> tuple[int, int, int, str]:
    """The highest epoch, what was begun there, the freshest data."""
    record = vault.record
    assert record
    begun = (2 + bool(record.rebuild.pools)) if record.rebuild else bool(record.unfinished)
    fresh = [] if vault.unread_replicas else [chain[-1].creation for chain in vault.replicas.values() if chain]
    return record.epoch, int(begun), max(fresh, default=0), vault.name


def _first_look(world: World, vault: Vault, record: Record) -> Expected:
    looked = _look(world, record, world.tools)
    if looked.refused or looked.kinds == {"intact"}:
        return data(world, vault, record, looked) if not looked.refused else looked
    if not world.tools:
        # Once the tools are there, more is seen: it may be refused then.
        again = _look(world, record, True)
        if again.refused:
            return Expected(looked.kinds, True, f"with the tools: {again.why}", allowed=again.allowed)
        looked = Expected(looked.kinds, False, looked.why, allowed=again.allowed)
    return data(world, vault, record, looked)


def _look(world: World, record: Record, tools: bool) -> Expected:
    managed = [name for name, pool in world.spec.node.pools.items() if pool.managed]
    found = {name: find(world, name, record, tools) for name in managed}
    states = [state for state, _ in found.values()]
    allowed = {pool.guid for state, pool in found.values() if pool and state in ("current", "open")}
    for state, kind in (
        ("unreadable", "unknown"),
        ("ahead", "unknown"),
        ("foreign", "foreign"),
        ("superseded", "superseded"),
        ("broken", "importable"),
    ):
        if state in states:
            return refused(kind, f"a pool is {state}")
    gone = [name for name in managed if found[name][0] == "gone"]
    written = set(record.rebuild.pools.values()) if record.rebuild else set()
    carried = "open" in states or any(pool and pool.guid in written for _, pool in found.values())
    if record.rebuild and "current" in states and not carried and not gone:
        return refused("superseded", "a rebuild is open, and the node's pools are here")
    if tools and "pools" in world.unread:
        return refused("unknown", "pools could not be read")
    waiting = [pool for _, pool in found.values() if pool and not (tools and pool.guid in world.imported)]
    kind = "blank" if gone else "importable" if waiting else "intact"
    kind = "resuming" if carried else kind
    if gone:
        bad = _members(world, _spec_vdevs(world, world.spec, gone, record))
        if bad:
            return refused(bad if bad != "no" else kind, "the members will not do")
    if not _unmanaged_there(world, tools):
        return refused(kind, "a pool that is the operator's is not imported")
    return Expected(frozenset({kind}), False, f"{dict(zip(managed, states, strict=True))}", allowed=allowed)


def _spec_vdevs(world: World, spec: NodeSpec, names: list[str], record: Record | None = None) -> list[Vdev]:
    """What these pools are to be made of: as applied, but for what was given now or to the rebuild that is open."""
    given = (record.rebuild.disks if record and record.rebuild else {}) | world.given
    recorded = [vdev for name in names for vdev in spec.node.pools[name].vdevs]
    return [_with_ids(vdev, given) for vdev in recorded]


def _with_ids(vdev: Vdev, given: dict[str, str]) -> Vdev:
    now = tuple(each.model_copy(update={"id": given.get(each.id, each.id)}) for each in vdev.members)
    return vdev.model_copy(update={"members": now})


def _unmanaged_there(world: World, tools: bool) -> bool:
    names = [name for name, pool in world.spec.node.pools.items() if not pool.managed]
    return not names or (tools and "pools" not in world.unread and all(world.imported_as(name) for name in names))


def _members(world: World, vdevs: list[Vdev]) -> str:
    """Why pools cannot be made on these: a verdict, "no" where the node's own stays; "" where they can."""
    if "disks" in world.unread:
        return "unknown"
    members = [member for vdev in vdevs for member in vdev.members]
    good = {member.id for member in members if _fits(world, member)}
    if any(f"{member.id}-part3" in world.disks for member in members):
        return "foreign"  # the whole of a disk that is cut into partitions
    missing = [member for member in members if member.id not in world.disks]
    there = [world.disks[member.id] for member in members if member.id in world.disks and member.id not in good]
    if any(not disk.readable for disk in there):
        return "unknown"
    if any(disk.holds for disk in there):
        return "foreign"
    if there:
        return "no"  # too small
    if not missing:
        return _unequal(world, vdevs)
    free = sorted(
        (d.size for d in world.disks.values() if not d.holds and d.readable and d.id not in good), reverse=True
    )
    wanted = sorted((member.size for member in missing), reverse=True)
    fits = len(free) >= len(wanted) and all(has >= needs for has, needs in zip(free, wanted, strict=False))
    if not fits or world.working.node.replacement != "any-blank":
        return "no"
    blank = [d for d in world.disks.values() if not d.holds and d.readable and d.id not in good]
    taken = _smallest(missing, blank)
    return _unequal(world, [_with_ids(vdev, taken) for vdev in vdevs])


def _smallest(missing: list[Member], blank: list[Disk]) -> dict[str, str]:
    """Each gets the smallest that fits, the smallest first; a partition for a partition, while there are any."""
    taken: dict[str, str] = {}
    for alike in (True, False):
        for member in sorted(missing, key=lambda each: (each.size, each.id)):
            left = [d for d in blank if d.id not in taken.values() and d.size >= member.size]
            left = [d for d in left if d.part == member.id.endswith("-part3")] if alike else left
            if left and member.id not in taken:
                taken[member.id] = min(left, key=lambda d: (d.size, d.id)).id
    return taken


def _unequal(world: World, vdevs: list[Vdev]) -> str:
    """The word "no" where one of them is made of disks that differ: zpool create wants to be forced then."""
    for vdev in vdevs:
        sizes = {world.disks[member.id].size for member in vdev.members}
        if vdev.type != "disk" and len(sizes) > 1:
            return "no"
    return ""


def _fits(world: World, member: Member) -> bool:
    disk = world.disks.get(member.id)
    return disk is not None and disk.readable and not disk.holds and disk.size >= member.size


def _new(world: World) -> Expected:
    """No vault has ever heard of it: bootstrap refuses in any case."""
    managed = [name for name, pool in world.working.node.pools.items() if pool.managed]
    if (world.tools and world.unread & {"zfs", "pools", "importable"}) or "zfs" in world.unread:
        return refused("unknown", "pools could not be read")
    kinds = set()
    for pool in world.on_disks() if world.tools else ():
        said = claims(world, pool)
        begun = said == 1 and pool.guid in world.imported
        if said is not None and said > 1:
            kinds.add("unknown")
        elif pool.name in managed and not begun:
            kinds.add("foreign")
    if kinds:
        return Expected(frozenset(kinds), True, "no vault knows the node, and pools of its names are here")
    absent = [name for name in managed if not (world.tools and world.imported_as(name))]
    bad = _members(world, _spec_vdevs(world, world.working, absent)) if absent else ""
    return refused(bad if bad not in ("", "no") else "new", "no vault knows the node")
