"""Which disks a lost pool may be made on: what is blank, what is in the way, what a replacement could be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from blackstart.live.model import DiskLive
from blackstart.reading import Absent, Unknown
from blackstart.spec.node import Member, Pool
from blackstart.spec.types import format_size

# Neither disks of a host nor anything a pool should be made on without being asked.
_NOT_DISKS = ("loop", "sr", "zram", "ram", "dm-", "md", "fd", "zd", "nbd")
# Ids that say less to a person than a model and a serial do; used only when there is nothing else.
_OPAQUE_IDS = ("wwn-", "nvme-eui.", "nvme-uuid.", "nvme-nvme.", "scsi-3", "lvm-pv-uuid-")
_FUZZ = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a member may not be used. `kind`: missing, small, taken (carries something), unreadable, twice, unequal."""

    member: str
    kind: str
    what: str


def replaced(pool: Pool, disks: Mapping[str, str]) -> Pool:
    """`pool` with member ids exchanged as `disks` says (recorded id -> replacement's id)."""
    vdevs = tuple(
        vdev.model_copy(
            update={"members": tuple(m.model_copy(update={"id": disks.get(m.id, m.id)}) for m in vdev.members)}
        )
        for vdev in pool.vdevs
    )
    return pool.model_copy(update={"vdevs": vdevs})


def members(pool: Pool) -> Iterator[Member]:
    """Every member of every vdev, in the order of the spec."""
    for vdev in pool.vdevs:
        yield from vdev.members


def by_id(disks: Iterable[DiskLive]) -> dict[str, DiskLive]:
    """Disks and partitions by each of their names below /dev/disk/by-id."""
    return {name: disk for disk in disks for name in disk.ids}


def occupied(disk: DiskLive, disks: Iterable[DiskLive]) -> Obstacle | None:
    """What is on `disk`, or None when it is proven blank: readable, no signature, no partitions, not mounted."""
    name = disk.ids[0] if disk.ids else disk.path
    if isinstance(disk.signature, Unknown):
        return Obstacle(name, "unreadable", f"what is on {disk.path} could not be read: {disk.signature.why}")
    if disk.mounted:
        return Obstacle(name, "taken", f"{disk.path} is mounted at {', '.join(disk.mounted)}")
    signature = "" if isinstance(disk.signature, Absent) else disk.signature.value
    parts = sorted((part for part in disks if part.parent == disk.path), key=lambda part: part.path)
    if parts:
        on_parts = ", ".join(f"{part.path} {_carries(part)}" for part in parts)
        return Obstacle(name, "taken", f"{disk.path} has partitions: {on_parts}")
    if signature:
        return Obstacle(name, "taken", f"{disk.path} carries {_carries(disk)}")
    return None


def _carries(disk: DiskLive) -> str:
    if isinstance(disk.signature, Unknown):
        return f"(unreadable: {disk.signature.why})"
    signature = "" if isinstance(disk.signature, Absent) else disk.signature.value
    said = signature or "nothing"
    if disk.label:
        said += f" {disk.label!r}"
    if disk.uuid and signature == "zfs_member":
        said += f" (guid {disk.uuid})"
    return said


def obstacles(wanted: Iterable[Member], disks: tuple[DiskLive, ...]) -> list[Obstacle]:
    """Every reason why pools may not be made on these members; empty when each is proven blank and large enough."""
    known = by_id(disks)
    found: list[Obstacle] = []
    used: dict[str, str] = {}
    for member in wanted:
        disk = known.get(member.id)
        if disk is None:
            found.append(Obstacle(member.id, "missing", f"disk {member.id} is not there"))
            continue
        if disk.path in used:
            found.append(Obstacle(member.id, "twice", f"{member.id} and {used[disk.path]} are the same {disk.path}"))
        used[disk.path] = member.id
        in_the_way = occupied(disk, disks)
        if in_the_way:
            found.append(Obstacle(member.id, in_the_way.kind, f"disk {member.id}: {in_the_way.what}"))
        elif disk.size < member.size:
            what = f"{member.id} has {format_size(disk.size)}, less than the {format_size(member.size)} recorded"
            found.append(Obstacle(member.id, "small", what))
    return found


def unequal(pool: Pool, disks: tuple[DiskLive, ...]) -> list[Obstacle]:
    """Members of one mirror or raidz that `zpool create` takes by force alone, which nothing here uses.

    The bound is ZPOOL_FUZZ of OpenZFS (cmd/zpool/zpool_vdev.c, get_replication). Members must be there.
    """
    known = by_id(disks)
    found = []
    for vdev in pool.vdevs:
        sizes = sorted((known[member.id].size, member.id) for member in vdev.members)
        (least, small), (most, large) = sizes[0], sizes[-1]
        if vdev.type != "disk" and most - least > _FUZZ:
            what = (
                f"{large} has {format_size(most)} and {small} has {format_size(least)}: ZFS makes no {vdev.type} of "
                "disks that differ by more than 16 MiB; give equal ones, or a partition of the larger, like the smaller"
            )
            found.append(Obstacle(large, "unequal", what))
    return found


def is_disk(disk: DiskLive) -> bool:
    """A real disk or partition, not a loop device, a CD drive or a mapping."""
    return not disk.path.rpartition("/")[2].startswith(_NOT_DISKS)


def best_id(disk: DiskLive) -> str:
    """The id a person can check against a label on the disk: model and serial before numbers."""
    return min(disk.ids, key=lambda name: (name.startswith(_OPAQUE_IDS), name))


def blanks(disks: tuple[DiskLive, ...]) -> list[DiskLive]:
    """Disks and partitions proven blank that have a stable id, smallest first, always in the same order."""
    fitting = [disk for disk in disks if disk.ids and is_disk(disk) and occupied(disk, disks) is None]
    return sorted(fitting, key=lambda disk: (disk.size, best_id(disk)))


def propose(wanted: list[Member], disks: tuple[DiskLive, ...], taken: Iterable[str] = ()) -> dict[str, str]:
    """Replacement ids for `wanted` members from blank disks not `taken` (paths), the smallest that fits first.

    A disk for a disk and a partition for a partition where there is one; members without a fit are left out.
    """
    free = [disk for disk in blanks(disks) if disk.path not in set(taken)]
    given: dict[str, str] = {}
    for same_kind in (True, False):
        for member in sorted(wanted, key=lambda member: (member.size, member.id)):
            if member.id in given:
                continue
            fits = [
                disk
                for disk in free
                if disk.size >= member.size and (not same_kind or (disk.parent is not None) == is_partition(member.id))
            ]
            if fits:
                given[member.id] = best_id(fits[0])
                free.remove(fits[0])
    return {member.id: given[member.id] for member in wanted if member.id in given}


def is_partition(disk_id: str) -> bool:
    """udev names partitions `<disk>-partN`."""
    head, found, number = disk_id.rpartition("-part")
    return bool(head and found and number.isdigit())


def parse_disks(text: str, known: Iterable[str]) -> dict[str, str]:
    """`OLD=NEW,OLD2=NEW2` as a dict. Raises ValueError when OLD is none of the `known` (recorded) ids."""
    recorded = set(known)
    given: dict[str, str] = {}
    for pair in filter(None, (word.strip() for word in text.split(","))):
        # An id may itself hold a '=': the right split is the one whose left side is recorded.
        splits = [(pair[:at], pair[at + 1 :]) for at, letter in enumerate(pair) if letter == "="]
        match = next(((old, new) for old, new in splits if old in recorded and new), None)
        if match is None:
            raise ValueError(f"disks: {pair!r} is not OLD=NEW with OLD one of {', '.join(sorted(recorded)) or 'none'}")
        given[match[0]] = match[1]
    return given
