"""Pools on the disks that are not imported: the OS was lost, the data survived."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import ImportableLive, Query
from blackstart.live.vdevs import pool_blocks
from blackstart.reading import Present, Reading, Unknown

_NONE = "no pools available to import"

# As a plain user it says "no pools available", too: it cannot read the disks.
_SECTION = """\
need_root && zfs_tools || return 1
v=$($limit zpool import 2>&1); r=$?
printf '%s\\n' "$v"
case $r$v in *'no pools available to import') return 0;; 0*) return 0;; 124*) return 124;; esac
fail "${v%%"$NL"*}"
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[tuple[ImportableLive, ...]]:
    """`zpool import` without arguments. Exported, destroyed-by-others and foreign pools are all listed."""
    pools = []
    for labels, members in pool_blocks(text):
        if not labels["id"].isdigit():
            raise ValueError(f"pool {labels['pool']} has no guid")
        pools.append(
            ImportableLive(
                name=labels["pool"],
                guid=labels["id"],
                state=labels["state"].split()[0],
                comment=labels.get("comment", ""),
                members=members,
            )
        )
    if not pools and text.strip() not in ("", _NONE):
        return Unknown(f"zpool import said: {text.strip().splitlines()[0][:200]}")
    return Present(tuple(pools))
