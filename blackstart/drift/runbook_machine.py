"""Of a node's page: where the machine is, what it is made of, and which disks carry what. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from blackstart.drift.recover.about import About
from blackstart.live.model import DiskLive
from blackstart.reading import Present, Unknown
from blackstart.restore.outline import round_size
from blackstart.spec.node import Member
from blackstart.ssh import target
from blackstart.verdict_disks import by_id, is_partition, members

MISSING = "not in the spec"


def machine(known: About) -> Iterator[tuple[str, str]]:
    """(word, what is known)."""
    node, of = known.case.spec.node, known.case.spec.node.provider
    user, host, port = target(node)
    yield "provider", of.name if of else f"{MISSING}: [provider] in nodes/{known.node}.toml"
    yield "server", of.server if of else MISSING
    yield "console", (of and of.console) or MISSING
    yield "ssh", f"{f'{user}@' if user else ''}{host}, port {port or 22}" + (", sudo" if node.sudo else "")
    yield "host key", f"{fingerprint(node.host_key)} (a new machine has another one)"
    if isinstance(known.live.host, Present):
        there = known.live.host.value
        memory = round_size(there.memory_total)
        yield "runs", f"Debian {there.debian}, kernel {there.kernel}, {memory} of memory"
    else:
        yield "runs", f"not known: {getattr(known.live.host, 'why', 'not read')}"
    asks = {"ask": "names blank ones that would do, and asks", "any-blank": "takes blank ones that are large enough"}
    yield "new disks", f"a rebuild {asks[node.replacement]}"


def fingerprint(host_key: str) -> str:
    """As ssh(1) shows it."""
    kind, _, blob = host_key.partition(" ")
    digest = hashlib.sha256(base64.b64decode(blob + "=" * (-len(blob) % 4))).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')} ({kind.removeprefix('ssh-')})"


def unmanaged(known: About) -> list[str]:
    """Pools that a person makes before a rebuild."""
    return [name for name, pool in known.spec.node.pools.items() if not pool.managed]


def disks(known: About) -> Iterator[str]:
    """Pool by pool in zpool's order, with the serial on each disk's label; then what the system lies on."""
    there = known.live.disks.value if isinstance(known.live.disks, Present) else ()
    for name, pool in known.spec.node.pools.items():
        guid = known.record.pools[name].guid if known.record and name in known.record.pools else "not recorded"
        yield f"pool {name}, guid {guid}" + ("" if pool.managed else ": managed = false, yours to make")
        for vdev in pool.vdevs:
            yield f"  {vdev.type}" + (f" ({vdev.role})" if vdev.role != "data" else "")
            yield from (f"    {_member(known, member, there)}" for member in vdev.members)
    yield from _partitioned(known, there)
    if isinstance(known.live.disks, Unknown):
        yield f"serials and partitions are not known: {known.live.disks.why}"


def _partitioned(known: About, there: tuple[DiskLive, ...]) -> Iterator[str]:
    """Disks whose partitions a person made: the system's, and those that share one with a pool."""
    named = [member.id for pool in known.spec.node.pools.values() for member in members(pool)]
    system = {each.parent or each.path: each.path for each in there if "/" in each.mounted}
    shared = {each.parent for name, each in by_id(there).items() if name in named and is_partition(name)}
    for disk in there:
        if disk.path in system or disk.path in shared:
            root = f", {system[disk.path]} is /" if disk.path in system else ""
            yield f"disk {disk.path}: serial {disk.serial or 'not known'}, {round_size(disk.size)}{root}"
            yield from _partitions(disk, there)
    if there and not system:
        yield "which disk the system lies on is not known"


def _member(known: About, member: Member, there: tuple[DiskLive, ...]) -> str:
    found = by_id(there).get(member.id)
    least = f"at least {round_size(member.size)}"
    if found is None:
        return f"{member.id}, {least}" + (", IS NOT THERE" if isinstance(known.live.disks, Present) else "")
    whole = next((disk for disk in there if disk.path == found.parent), found)
    part = ", a partition, made by hand" if is_partition(member.id) else ""
    return f"{member.id}, serial {whole.serial or 'not known'}, {round_size(found.size)}, {least}{part}"


def _partitions(disk: DiskLive, there: tuple[DiskLive, ...]) -> Iterator[str]:
    for part in sorted((each for each in there if each.parent == disk.path), key=lambda each: each.path):
        kind = part.signature.value if isinstance(part.signature, Present) else "not readable"
        yield f"  {part.path}: {round_size(part.size)}, {kind or 'blank'}"
