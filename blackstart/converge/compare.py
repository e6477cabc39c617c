"""What every resource's diff shares: take a section of live state apart without ever folding unknown into absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from blackstart.change import Change
from blackstart.reading import Absent, Present, Reading, Unknown

T = TypeVar("T")


def known(reading: Reading[dict[str, T]]) -> dict[str, T] | Unknown:
    """The section's content; an absent section has none of it."""
    if isinstance(reading, Present):
        return reading.value
    if isinstance(reading, Absent):
        return {}
    return reading


def unknown(resource: str, names: Iterable[str], why: Unknown) -> list[Change]:
    """One change per wanted thing that could not be compared."""
    return [Change(resource, name, "", "", why.why, "unknown") for name in names]


def update(resource: str, name: str, field: str, spec: str, live: str) -> Change:
    return Change(resource, name, field, spec, live, "update")


def create(resource: str, name: str, spec: str = "") -> Change:
    return Change(resource, name, "", spec, "", "create")


def report(resource: str, name: str, field: str, spec: str, live: str) -> Change:
    return Change(resource, name, field, spec, live, "report")


def unmanaged(resource: str, name: str) -> Change:
    return Change(resource, name, "", "", "", "unmanaged")
