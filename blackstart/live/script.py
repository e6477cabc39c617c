"""One POSIX sh script that reads a host, and the parser of what it prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from blackstart.live import (
    applied,
    container,
    dataset,
    delegation,
    disk,
    file,
    handmade,
    heartbeat,
    host,
    importable,
    key,
    link,
    package,
    pool,
    snapshot,
    sysctl,
    unit,
    user,
    zfs,
)
from blackstart.live.frame import read_frames
from blackstart.live.model import Live, Query
from blackstart.live.shell import assemble
from blackstart.reading import Present, Reading, Unknown


class Part(NamedTuple):
    """One resource: the field of Live it fills, its script text, its parser."""

    field: str
    section: Callable[[Query], str]
    parse: Callable[[str], Reading[Any]]


# What may hang on broken disks comes last, so that a run killed from outside has told the rest.
PARTS: dict[str, Part] = {
    "host": Part("host", host.section, host.parse),
    "heartbeat": Part("heartbeat", heartbeat.section, heartbeat.parse),
    "applied": Part("applied", applied.section, applied.parse),
    "sysctl": Part("sysctl", sysctl.section, sysctl.parse),
    "link": Part("links", link.section, link.parse),
    "user": Part("users", user.section, user.parse),
    "package": Part("packages", package.section, package.parse),
    "file": Part("files", file.section, file.parse),
    "handmade": Part("handmade", handmade.section, handmade.parse),
    "unit": Part("units", unit.section, unit.parse),
    "container": Part("containers", container.section, container.parse),
    "zfs": Part("zfs", zfs.section, zfs.parse),
    "pool": Part("pools", pool.section, pool.parse),
    "dataset": Part("datasets", dataset.section, dataset.parse),
    "delegation": Part("delegations", delegation.section, delegation.parse),
    "snapshot": Part("snapshots", snapshot.section, snapshot.parse),
    "key": Part("keys", key.section, key.parse),
    "disk": Part("disks", disk.section, disk.parse),
    "importable": Part("importable", importable.section, importable.parse),
}


def script(query: Query, only: tuple[str, ...] = tuple(PARTS)) -> str:
    """The script that reads a host, to be run as root. `only`: names of resources, all of them by default."""
    sections = {name: part.section(query) for name, part in PARTS.items() if name in only}
    return assemble(sections, given=bool(query.keys))


def parse(document: str) -> Live:
    """What the script printed. Sections that failed or did not come through whole are unknown, with the reason."""
    sections, missing = read_frames(document)
    readings: dict[str, Reading[Any]] = {}
    for name, part in PARTS.items():
        found = sections.get(name)
        why = missing if found is None else found.failure()
        readings[part.field] = part.parse(found.text) if found and why is None else Unknown(why or missing)
    return _agreed(Live(**readings))


def unknown(why: str) -> Live:
    """A reading of a host that gave none."""
    return Live(**{part.field: Unknown(why) for part in PARTS.values()})


def _agreed(live: Live) -> Live:
    """Sections that contradict each other: one of the two lists is not whole."""
    return _origins(_roots(live))


def _roots(live: Live) -> Live:
    """A pool always has a root dataset."""
    if isinstance(live.pools, Present) and isinstance(live.datasets, Present):
        for name, one in live.pools.value.items():
            if name not in live.datasets.value and one.state != "SUSPENDED":
                why = f"zfs lists nothing of pool {name}, which is imported"
                return replace(live, datasets=Unknown(why), snapshots=Unknown(why))
    return live


def _origins(live: Live) -> Live:
    """A clone always has the snapshot that it was made of."""
    if isinstance(live.datasets, Present) and isinstance(live.snapshots, Present):
        there = {f"{one.dataset}@{one.name}" for each in live.snapshots.value.values() for one in each}
        for name, dataset in live.datasets.value.items():
            origin = dataset.properties.get("origin", ("-", ""))[0]
            if origin not in ("-", "") and origin not in there:
                return replace(live, snapshots=Unknown(f"zfs does not list {origin}, which {name} is a clone of"))
    return live
