"""What one heartbeat tells that the one before did not, as sentences for the node's history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """One sentence each; none where only numbers moved on. What could not be read is no change."""
    if before is None:
        return [f"{after['node']} was heard for the first time"]
    return [*_node(before, after), *_pools(before, after), *_containers(before, after)]


def known_after(before: Mapping[str, Any] | None, beat: Mapping[str, Any]) -> dict[str, Any]:
    """What a heartbeat tells, and of what it could not read what was told before: the next one is compared with it."""
    if before is None or None not in beat.values():
        return dict(beat)
    return {key: before.get(key) if value is None else value for key, value in beat.items()}


def _node(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    node = after["node"]
    if _other(before["boot_id"], after["boot_id"]):
        yield f"{node} was booted"
    if _other(before["epoch"], after["epoch"]):
        yield f"{node} is at epoch {after['epoch']}, before at {before['epoch']}"
    if _other(before["applied"], after["applied"]):
        yield f"{node} has another spec applied: {after['applied'][:19]}"
    if before["status"] != after["status"]:
        yield f"{node} is {after['status']} by its own word, before {before['status']}"
    if after["missed"]:
        yield f"{node} could tell no vault {after['missed']} times before"


def _other(before: object, after: object) -> bool:
    return before is not None and after is not None and before != after


def _pools(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["pools"] is None or after["pools"] is None:
        return
    for pool in sorted({*before["pools"], *after["pools"]}):
        was, now = (each["pools"].get(pool, "not imported") for each in (before, after))
        if _other(was, now):
            yield f"pool {pool} is {now}, before {was}"


def _containers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = before["containers"], after["containers"]
    if old == new or old is None or new is None:  # the same: of most heartbeats
        return
    for name in sorted({*old, *new}):
        if name not in new:
            yield f"container {name} does not run any more"
        elif name not in old:
            yield f"container {name} runs"
        else:
            was, now = set(old[name]["services"]), set(new[name]["services"])
            yield from (f"{unit} in container {name} does not run any more" for unit in sorted(was - now))
            yield from (f"{unit} in container {name} runs" for unit in sorted(now - was))
