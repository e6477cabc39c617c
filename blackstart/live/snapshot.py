"""Snapshots of all pools: guid (travels), createtxg (does not), creation, holds."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import Query, SnapshotLive
from blackstart.reading import Present, Reading

_SECTION = """\
zfs_ready || return 1
exec zfs list -Hp -t snapshot -o name,guid,createtxg,creation,userrefs
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[dict[str, tuple[SnapshotLive, ...]]]:
    """`zfs list -Hp -t snapshot`. A dataset without snapshots is not in it."""
    found: dict[str, list[SnapshotLive]] = {}
    for line in text.splitlines():
        full, guid, createtxg, creation, holds = line.split("\t")
        dataset, at, name = full.partition("@")
        if not at or not guid.isdigit():
            raise ValueError(f"{line[:60]!r} is no snapshot")
        live = SnapshotLive(dataset, name, guid, int(createtxg), int(creation), 0 if holds == "-" else int(holds))
        found.setdefault(dataset, []).append(live)
    return Present({name: tuple(sorted(items, key=lambda item: item.createtxg)) for name, items in found.items()})
