"""Whether a file of live state is what its name says, as far as somebody who shows it relies on that. Pure.

Keys may be missing: an older vault or node did not write all of them. What is there has its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

YEAR_10000 = 253402300800  # seconds since 1970; no calendar goes further

Data = Mapping[str, Any]


def is_number(value: object) -> TypeGuard[int | float]:
    """True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_time(value: object) -> TypeGuard[int | float]:
    """Seconds since 1970 that a calendar has a date for."""
    return is_number(value) and 0 <= value < YEAR_10000


def heartbeat(data: Data) -> None:
    """Raises ValueError with one clause."""
    _need(is_time(data.get("received")), "a heartbeat", "received")
    _need(_may_be(data, "pools", dict), "a heartbeat", "pools")
    _need(_may_be(data, "load", list), "a heartbeat", "load")
    _need(data.get("uptime") is None or is_number(data["uptime"]), "a heartbeat", "uptime")
    _need(_may_be(data, "containers", dict), "a heartbeat", "containers")
    for each in (data.get("containers") or {}).values():
        _need(isinstance(each, dict) and _are_texts(each.get("services", [])), "a heartbeat", "containers")


def record(data: Data) -> None:
    """Raises ValueError with one clause."""
    _need(_may_be(data, "applied", dict), "a record", "applied")
    applied = data.get("applied")
    _need(not applied or is_time(applied.get("at")), "a record", "applied")
    _need(_may_be(data, "datasets", dict), "a record", "datasets")
    _need(all(isinstance(each, dict) for each in (data.get("datasets") or {}).values()), "a record", "datasets")


def signal(data: Data) -> None:
    """Raises ValueError with one clause."""
    for key in ("state", "severity", "scope", "reason"):
        _need(isinstance(data.get(key), str), "a signal", key)


def _need(holds: bool, what: str, key: str) -> None:
    if not holds:
        raise ValueError(f"it is not {what}: {key}")


def _may_be(data: Data, key: str, kind: type) -> bool:
    return data.get(key) is None or isinstance(data[key], kind)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
