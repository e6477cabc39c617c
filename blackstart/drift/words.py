"""What is said of events: a title and a short text that a person reads on a telephone. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from blackstart.drift.damping import Event

MOST = 20  # lines of a message; nobody reads more there, and some chats cut it

_TITLES = {"found": "new", "changed": "changed", "over": "over"}


def message(vault: str, events: Sequence[Event]) -> tuple[str, str]:
    """Title and text of one message about all of them."""
    counts = {word: sum(1 for each in events if each.event == kind) for kind, word in _TITLES.items()}
    title = f"blackstart {vault}: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines = list(dict.fromkeys(line(each) for each in _together(events)))
    more = len(lines) - MOST
    if more > 0:
        lines = [*lines[:MOST], f"and {more} more"]
    return title, "\n".join([*lines, f"all of it: blackstart drift, on {vault} or where you work"])


def line(event: Event) -> str:
    """One event, without numbers that only a machine needs."""
    finding = event.finding
    what = " ".join(text for text in (finding.resource, finding.name, finding.field) if text)
    where = f"{finding.node}: {what}"
    if event.event == "over":
        why = f" ({event.why})" if event.why else ""
        return f"over: {where}, since {_time(event.since)}{why}"
    said = f"{_KINDS[finding.kind]} {where}: {_state(event)}"
    return f"{said}; next: {finding.remedy}" if finding.remedy else said


_KINDS = {"drift": "differs:", "unmanaged": "unmanaged:", "unknown": "not read:", "recoverability": "rebuild:"}


def _state(event: Event) -> str:
    finding = event.finding
    if finding.kind == "recoverability":
        return finding.reason
    if finding.kind == "unknown":
        return finding.live or finding.reason
    cause = f" ({finding.cause})" if finding.cause else ""
    if finding.kind == "unmanaged":
        return f"not in the spec{cause}"
    return f"spec {finding.spec or '-'}, live {finding.live or '-'}{cause}"


def _together(events: Iterable[Event]) -> list[Event]:
    """What matters most first: what a rebuild would miss, what is unread, what differs, what is over."""
    order = ("recoverability", "unknown", "drift", "unmanaged")
    return sorted(events, key=lambda each: (each.event == "over", order.index(each.finding.kind), each.finding.key))


def _time(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
