"""Waivers against the fleet: one that can cover nothing is a mistake, one that has expired is worth a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Problem, did_you_mean

FILE = "waivers.toml"


def nodes(fleet: Fleet) -> Iterator[Problem]:
    """The node, or the pattern, must find one."""
    for number, waiver in enumerate(fleet.waivers):
        if not any(fnmatchcase(name, waiver.node) for name in fleet.nodes):
            near = did_you_mean(waiver.node, list(fleet.nodes), "node")
            yield Problem(FILE, ("waivers", number, "node"), f"{waiver.node!r} is no node of the fleet; {near}")


def expired(fleet: Fleet, today: date | None = None) -> Iterator[Problem]:
    """A warning. `today`: in UTC, as `blackstart drift` goes by it."""
    today = today or datetime.now(UTC).date()
    for number, waiver in enumerate(fleet.waivers):
        if waiver.expires < today:
            said = f"expired on {waiver.expires}: what it covered is drift again; ask {waiver.owner}, or take it out"
            yield Problem(FILE, ("waivers", number, "expires"), said)
