"""Imported pools, with their member devices."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import PoolLive, Query
from blackstart.live.vdevs import pool_blocks
from blackstart.reading import Present, Reading

# `comment` stands last: it may hold spaces (never a tab, zpool refuses what is not printable).
_SECTION = """\
zfs_tools || return 1
zpool list -Hp -o name,guid,health,size,free,readonly,comment || return
printf '\\0'
exec zpool status -P
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[dict[str, PoolLive]]:
    """`zpool list -Hp`, NUL, `zpool status -P`. A pool that only one of them knows makes the section unknown."""
    listing, separator, status = text.partition("\0")
    if not separator:
        raise ValueError("no pool status")
    members = {labels["pool"]: leaves for labels, leaves in pool_blocks(status)}
    pools = {}
    for line in listing.splitlines():
        name, guid, state, size, free, readonly, comment = line.split("\t")
        pools[name] = PoolLive(
            name=name,
            guid=_digits(guid),
            state=state,
            comment="" if comment == "-" else comment,
            size=int(size) if size != "-" else 0,
            free=int(free) if free != "-" else 0,
            readonly=readonly == "on",
            members=members.pop(name),
        )
    if members:
        raise ValueError(f"zpool status knows {', '.join(members)}, zpool list does not")
    return Present(pools)


def _digits(guid: str) -> str:
    if not guid.isascii() or not guid.isdigit():
        raise ValueError(f"{guid!r} is not a guid")
    return guid
