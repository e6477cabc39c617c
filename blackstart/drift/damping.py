"""When what was found is announced: once, after some looks in a row; again when it changes; and when it is over. Pure.

What could not be read is no sighting and clears no alarm: something that is missing from a report is over only when
nothing of its node is unknown that was known when it was last seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from blackstart.drift.finding import Finding, Report

Key = tuple[str, str, str, str, str]

# Ages, sizes, names of snapshots: they differ at every look, and what is said stays the same. Not a name's own number.
_NUMBER = re.compile(r"(?<![A-Za-z0-9-])\d+([.:T-]\d+)*( ?(s|min|h|d|days?|B|[KMGTP]i?B)\b)?")
_NUMBERS = re.compile(r"#Z?(\s#)*")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding as it is remembered from one look to the next.

    `since`: seconds since 1970 by the looker's clock. `count`: looks in a row that found the same.
    `announced`: what was last announced of it (`sameness`), "" while nothing was.
    `unknown`: what could not be read of its node when it was last seen.
    """

    finding: Finding
    since: int
    count: int = 1
    announced: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What is announced. `why` says of what is over how it came so, where it is not simply gone."""

    event: Literal["found", "changed", "over"]
    at: int
    since: int
    finding: Finding
    why: str = ""


def sameness(finding: Finding) -> str:
    """Equal for what needs no second announcement.

    Of drift every letter of both sides counts. Of what a rebuild would miss, and of what could not be read, numbers
    do not: a replica that is late gets later with every look. The cause does not: it may be unreadable once.
    """
    if finding.kind in ("drift", "unmanaged"):
        return f"{finding.spec} | {finding.live}"
    said = " | ".join(text for text in (finding.spec, finding.live, finding.reason) if text)
    return _NUMBERS.sub("#", _NUMBER.sub("#", said)) or "-"


def damp(
    before: Iterable[Sighting], report: Report, now: int, sightings: int, nodes: Iterable[str]
) -> tuple[list[Sighting], list[Event]]:
    """What is remembered from now on, and what is to be announced.

    `sightings`: looks in a row that it takes. `nodes`: those that are looked at here; what is remembered of others
    is over. A node that this report is not about stays as it is. What is waived is not announced.
    """
    found = {each.key: each for each in report.findings if not each.waiver}
    waived = {each.key: each.waiver for each in report.findings if each.waiver}
    unknown = _unknown(report)
    after: list[Sighting] = []
    events: list[Event] = []
    for old in before:
        node, key = old.finding.node, old.finding.key
        if key in found:
            _keep(_again(old, found.pop(key), unknown.get(node, ())), now, sightings, after, events)
        elif node not in nodes:
            _end(old, now, "not looked at from here any more", events)
        elif key in waived:
            _end(old, now, f"waived: {waived[key]}", events)
        elif node not in report.at or set(unknown.get(node, ())) - set(old.unknown):
            after.append(old)
        else:
            _end(old, now, "", events)
    for finding in found.values():
        seen = Sighting(finding, now, unknown=unknown.get(finding.node, ()))
        _keep(seen, now, sightings, after, events)
    return after, events


def _unknown(report: Report) -> dict[str, tuple[str, ...]]:
    """Node -> what could not be read of it."""
    found: dict[str, set[str]] = {}
    for each in report.findings:
        if each.kind == "unknown":
            found.setdefault(each.node, set()).add(" ".join((each.resource, each.name, each.field)).strip())
    return {node: tuple(sorted(names)) for node, names in found.items()}


def _again(old: Sighting, finding: Finding, unknown: tuple[str, ...]) -> Sighting:
    same = sameness(finding) == sameness(old.finding)
    return replace(old, finding=finding, count=old.count + 1 if same else 1, unknown=unknown)


def _keep(seen: Sighting, now: int, sightings: int, after: list[Sighting], events: list[Event]) -> None:
    said = sameness(seen.finding)
    if seen.count >= sightings and said != seen.announced:
        events.append(Event("changed" if seen.announced else "found", now, seen.since, seen.finding))
        seen = replace(seen, announced=said)
    after.append(seen)


def _end(old: Sighting, now: int, why: str, events: list[Event]) -> None:
    if old.announced:
        events.append(Event("over", now, old.since, old.finding, why))
