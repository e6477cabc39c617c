"""The whole last known state as of a moment, and what changed between two. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from blackstart.blackbox import folders, shape
from blackstart.blackbox.moments import Moment, choose, moments

FORMAT = 1

# Key -> where it lies below a node's folder.
_FILES = {
    "heartbeat": ("now", "heartbeat.json"),
    "drift": ("now", "drift.json"),
    "record": ("record.json",),
    "replication": ("replication.json",),
    "restore": ("restore.json",),
    "drill": ("drill", "last.json"),
}
_READING = {"reading": ("now", "state.json")}
_SHAPES: Mapping[str, Callable[[shape.Data], None]] = {"heartbeat": shape.heartbeat, "record": shape.record}
_KINDS = ("containers", "services")  # folders below a node's `now`


def state(live: Path, node: str, at: str, now: int) -> dict[str, Any]:
    """The document `state` as of `at` (moments.choose). `node` "": of all nodes, without their whole readings.

    Raises OSError, ValueError with one sentence.
    """
    return _as_of(live, _moment(live, at, now), node)


def change(live: Path, node: str, begin: str, end: str, now: int) -> dict[str, Any]:
    """The document `state-changes`: what differs between two moments; `end` "": now. Raises OSError, ValueError."""
    first, last = _moment(live, begin, now), _moment(live, end, now)
    before, after = _as_of(live, first, node, gone=True), _as_of(live, last, node, gone=True)
    if node and not before["nodes"] and not after["nodes"]:
        raise ValueError(f"there is no node {node} in {first}, nor in {last}")
    unread = {moment: list(_unread(found["nodes"])) for moment, found in ((first, before), (last, after))}
    lost = {file for each in unread.values() for file, _ in each}
    found = differences(_read(before["nodes"], lost), _read(after["nodes"], lost))
    return {
        "format": FORMAT,
        "from": _told(first),
        "to": _told(last),
        "changes": list(found),
        "unread": [f"{file} in {moment}: {why}" for moment, each in unread.items() for file, why in each],
    }


def _unread(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(file, with its node; why it could not be read)."""
    for name, node in nodes.items():
        yield from ((f"{name}/{file}", why) for file, why in node["unread"].items())


def _read(nodes: Mapping[str, Any], lost: Collection[str]) -> dict[str, Any]:
    """The nodes without what was lost in one of two moments: that is neither the same nor gone. Pure."""
    return {name: dict(_kept(name, node, lost)) for name, node in nodes.items()}


def _kept(name: str, node: Mapping[str, Any], lost: Collection[str]) -> Iterator[tuple[str, Any]]:
    for key, way in (_FILES | _READING).items():
        if key in node and not _is_lost("/".join((name, *way)), lost):
            yield key, node[key]
    for kind in _KINDS:
        folder = f"{name}/now/{kind}"
        # A folder that could not be listed has lost what was in it, also where the other moment has nothing there.
        if folder not in lost:
            yield (
                kind,
                {each: value for each, value in node[kind].items() if not _is_lost(f"{folder}/{each}.json", lost)},
            )


def _is_lost(file: str, lost: Collection[str]) -> bool:
    """Whether it, or a folder that it is in, could not be read."""
    return file in lost or any(file.startswith(f"{each}/") for each in lost)


def _moment(live: Path, at: str, now: int) -> Moment:
    # What is now needs no snapshots: the folder may be a copy, or one snapshot that was mounted by hand.
    return choose(moments(live) if at else (), at, now)


def _as_of(live: Path, moment: Moment, node: str, gone: bool = False) -> dict[str, Any]:
    folder = moment.folder(live)
    every = folders.nodes(folder)
    if node and node not in every and not gone:
        raise ValueError(f"there is no node {node} in {moment}; there is {', '.join(every)}")
    files = _FILES | (_READING if node else {})
    found = {name: _node(folder, name, files) for name in every if node in ("", name)}
    signals, unread = _signals(folder)
    return {"format": FORMAT, "moment": _told(moment), "nodes": found, "signals": signals, "unread": unread}


def _told(moment: Moment) -> dict[str, Any]:
    return {"snapshot": moment.name, "at": moment.at}


def _node(folder: Path, node: str, files: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Every file by its key, null: there is none. What could not be read is in `unread`, with the reason."""
    unread: dict[str, str] = {}
    found: dict[str, Any] = {key: _file(folder, (node, *way), unread, _SHAPES.get(key)) for key, way in files.items()}
    for kind in _KINDS:
        ways = _below(folder, (node, "now", kind), unread)
        found[kind] = {_name(way[3:]): _file(folder, way, unread) for way in ways}
    return found | {"unread": unread}


def _signals(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """By their ids, and file -> why it could not be read."""
    unread: dict[str, str] = {}
    ways = _below(folder, ("now", "signals"), unread)
    found = {_name(way[2:]): _file(folder, way, unread, shape.signal) for way in ways}
    return found, {f"now/{file}": why for file, why in unread.items()}


def _file(
    folder: Path, way: tuple[str, ...], unread: dict[str, str], check: Callable[[shape.Data], None] | None = None
) -> dict[str, Any] | None:
    """The document; null where there is none. One that `check` refuses is as good as torn: nobody may build on it."""
    try:
        found = folders.document(folder, *way)
        if check and found is not None:
            check(found)
        return found
    except (OSError, ValueError) as error:
        unread["/".join(way[1:])] = _why(error)
        return None


def _below(folder: Path, way: tuple[str, ...], unread: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Every .json file in a folder and in its folders."""
    try:
        inside = folders.listed(folder, *way)
    except OSError as error:
        unread["/".join(way[1:])] = _why(error)
        return
    for name, is_folder in inside:
        if is_folder and len(way) < 4:
            yield from _below(folder, (*way, name), unread)
        elif name.endswith(".json"):
            yield (*way, name)


def _name(way: tuple[str, ...]) -> str:
    return "/".join(way).removesuffix(".json")


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def differences(before: Any, after: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """{"path", "before", "after"} of each value that differs; null for what is not there. Pure."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield {"path": path, "before": before, "after": after}
