"""Pools that zpool would refuse, and disks that would be used twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from blackstart.spec.clash import Use, clashes, node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.node import Pool, Vdev
from blackstart.spec.problem import Key, Problem
from blackstart.spec.types import format_size

# zpool-create(8): reserved as names or as beginnings of names.
_RESERVED = re.compile(r"(mirror|raidz|draid|spare).*|log|c[0-9].*")
_PARITY = {"disk": 0, "mirror": 0, "raidz1": 1, "raidz2": 2, "raidz3": 3}
_LEAST = {"disk": 1, "mirror": 2, "raidz1": 2, "raidz2": 3, "raidz3": 4}
# The kernel's own, in the order in which it met the disks. What is listed in by-id begins with a bus or a kind.
_KERNEL_NAME = re.compile(r"(sd|hd|vd|xvd)[a-z]+\d*|nvme\d+n\d+(p\d+)?|mmcblk\d+(p\d+)?|(dm-|md|loop|nbd|zd)\d+(p\d+)?")
_BY_ID = "/dev/disk/by-id, like 'ata-MODEL_SERIAL' (see `ls -l /dev/disk/by-id`)"
_PARTITION = re.compile(r"-part\d+$")


def pools(fleet: Fleet) -> Iterator[Problem]:
    """Names, vdevs and the number of their members."""
    for node, spec in fleet.nodes.items():
        for name, pool in spec.pools.items():
            key: Key = ("pools", name)
            if _RESERVED.fullmatch(name):
                said = f"the pool name {name!r} is reserved by zpool (mirror…, raidz…, draid…, spare…, log, c0…)"
                yield Problem(node_file(node), key, said)
            if pool.managed and not any(vdev.role == "data" for vdev in pool.vdevs):
                said = "has no vdev for data; describe one in [[pools.NAME.vdevs]], or say `managed = false`"
                yield Problem(node_file(node), key, said)
            for index, vdev in enumerate(pool.vdevs):
                yield from _vdev(node_file(node), (*key, "vdevs", index), vdev)
            if pool.managed:
                yield from _mixed(node_file(node), key, pool)


def _mixed(file: str, key: Key, pool: Pool) -> Iterator[Problem]:
    """Vdevs of different redundancy, which `zpool create` makes by force alone, and nothing here uses that.

    The rule is get_replication's of OpenZFS (cmd/zpool/zpool_vdev.c), as 2.3.9 follows it: logs, caches and spares do
    not count, a mirror and a raidz that can lose as many disks go together, raidz of different widths too.
    """
    holding = [(index, vdev) for index, vdev in enumerate(pool.vdevs) if vdev.role in ("data", "special")]
    for index, vdev in holding[1:]:
        first = holding[0][1]
        if _survives(vdev) != _survives(first):
            said = (
                f"{_called(vdev)} beside {_called(first)}: zpool makes such a pool by force alone, so it could not be "
                "rebuilt; give both the same redundancy, or make the pool yourself and say `managed = false`"
            )
            yield Problem(file, (*key, "vdevs", index), said)


def _survives(vdev: Vdev) -> int:
    """How many of its members it can lose."""
    return len(vdev.members) - 1 if vdev.type == "mirror" else _PARITY[vdev.type]


def _called(vdev: Vdev) -> str:
    return "a disk" if vdev.type == "disk" else f"a {vdev.type} of {len(vdev.members)}"


def _vdev(file: str, key: Key, vdev: Vdev) -> Iterator[Problem]:
    if vdev.role in ("cache", "spare") and vdev.type != "disk":
        yield Problem(file, key, f'a {vdev.role} has no redundancy of its own: write type = "disk"')
    elif vdev.role == "log" and vdev.type.startswith("raidz"):
        yield Problem(file, key, 'a log is a mirror or a disk: write type = "mirror"')
    elif len(vdev.members) < _LEAST[vdev.type]:
        have, least = len(vdev.members), _LEAST[vdev.type]
        alone = '; one disk alone is type = "disk"' if have == 1 else ""
        yield Problem(file, key, f"a {vdev.type} of {have} member(s), it takes at least {least}{alone}")


def disks(fleet: Fleet) -> Iterator[Problem]:
    """A disk goes by a name that stays, is one vdev's alone, and whole or in partitions."""
    for node, spec in fleet.nodes.items():
        uses = []
        for name, pool in spec.pools.items():
            for v, vdev in enumerate(pool.vdevs):
                for m, member in enumerate(vdev.members):
                    key = ("pools", name, "vdevs", v, "members", m, "id")
                    if _KERNEL_NAME.fullmatch(member.id):
                        said = f"found {member.id!r}, a name that changes from start to start; expected one of {_BY_ID}"
                        yield Problem(node_file(node), key, said)
                    uses.append(Use(member.id, f"the disk {member.id}", node_file(node), key))
        yield from clashes(uses)
        whole = {str(use.value): use for use in uses}
        for use in uses:
            disk = _PARTITION.sub("", str(use.value))
            if disk != use.value and disk in whole:
                said = f"{use.value} is a part of a disk that {whole[disk].place} takes whole"
                yield Problem(use.file, use.key, said)


def uneven(fleet: Fleet) -> Iterator[Problem]:
    """Each member is used up to the size of the smallest: a warning where that wastes a third of one, or more."""
    for node, spec in fleet.nodes.items():
        for name, pool in spec.pools.items():
            for index, vdev in enumerate(pool.vdevs):
                sizes = [member.size for member in vdev.members]
                if vdev.type != "disk" and 3 * min(sizes) <= 2 * max(sizes):
                    small, large = format_size(min(sizes)), format_size(max(sizes))
                    used = f"of each only {small} is used, and a rebuild takes equal ones"
                    said = f"its members are of {small} and {large}; {used}"
                    yield Problem(node_file(node), ("pools", name, "vdevs", index, "members"), said)


def capacity(pool: Pool) -> int | None:
    """Bytes that a pool offers at the most, by the stated sizes of its members; None where they are not stated."""
    data = [vdev for vdev in pool.vdevs if vdev.role == "data"]
    return sum(_capacity(vdev) for vdev in data) if data else None


def _capacity(vdev: Vdev) -> int:
    sizes = [member.size for member in vdev.members]
    if vdev.type == "disk":
        return sum(sizes)
    if vdev.type == "mirror":
        return min(sizes)
    return min(sizes) * max(0, len(sizes) - _PARITY[vdev.type])
