"""History and state for people, on a terminal of 80 columns. Pure."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from blackstart.drift.text import printable
from blackstart.restore.outline import say_age

WIDTH = 80
_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
# Numbers that move all the time: in what changed between two moments they hide what matters.
_MOVING = frozenset(
    ("sequence", "timestamp", "received", "uptime", "load", "memory", "available", "clock", "used", "at", "seconds")
)

Entry = Mapping[str, Any]


def history(entries: Sequence[Entry]) -> list[str]:
    """A heading for each day, a line for each entry; what arrived in a row is one line."""
    lines: list[str] = []
    day = ""
    for entry in folded(entries):
        when = time.gmtime(entry["at"])
        if time.strftime("%Y-%m-%d", when) != day:
            day = time.strftime("%Y-%m-%d", when)
            lines.append(f"{day} (UTC)")
        head = f"  {time.strftime('%H:%M:%S', when)} {entry['node'] or 'fleet'} {entry['kind']}: "
        lines += _filled(head, printable(entry["text"]), " " * 11)
    return lines


def folded(entries: Iterable[Entry]) -> list[Entry]:
    """With what arrived of a node in a row as one entry, at the time of its last."""
    made: list[dict[str, Any]] = []
    open_: dict[str, dict[str, Any]] = {}  # node -> its last entry, while that is of arrivals
    for entry in entries:
        last = open_.get(entry["node"])
        if entry["kind"] != "replicated":
            open_.pop(entry["node"], None)
            made.append(dict(entry))
        elif last is None:
            open_[entry["node"]] = {**entry, "count": 1}
            made.append(open_[entry["node"]])
        else:
            last["count"] += 1
            since = time.strftime("%Y-%m-%d %H:%M", time.gmtime(last.setdefault("since", last["at"])))
            last |= {"at": entry["at"], "text": f"{last['count']} snapshots arrived since {since}"}
    return sorted(made, key=lambda each: each["at"])


def state(document: Mapping[str, Any]) -> list[str]:
    """Each node's last known state in short; what the files say in full is in the JSON."""
    at = document["moment"]["at"]
    lines = [_moment(document["moment"])]
    for name, node in document["nodes"].items():
        lines += ["", printable(name)]
        for head, said in _node(node, at):
            lines += _filled(f"  {head:<11} ", printable(said), " " * 14)
    open_ = [each for each in document["signals"].values() if each and each.get("state") == "open"]
    for each in open_:
        lines += _filled(
            "signal open: ", printable(f"{each.get('severity')} on {each.get('scope')}: {each.get('reason')}"), "  "
        )
    # A vault whose tool is older than this one does not say which signals it could not read.
    for file, why in document.get("unread", {}).items():
        lines += _filled("not read: ", printable(f"{file}: {why}"), "  ")
    return lines


def changes(document: Mapping[str, Any]) -> list[str]:
    """What differs, without the numbers that always do."""
    found = [each for each in document["changes"] if not _MOVING & set(each["path"].split("."))]
    lines = [f"from {_moment(document['from'])}", f"to   {_moment(document['to'])}"]
    for each in found:
        lines += _filled(
            "  ", printable(f"{each['path']}: {_short(each['before'])} -> {_short(each['after'])}"), "    "
        )
    # A vault whose tool is older than this one does not say what it could not read.
    for said in document.get("unread", ()):
        lines += _filled("  not read: ", printable(said), "    ")
    moved = len(document["changes"]) - len(found)
    lines.append(f"{len(found)} changes; {moved} numbers that move all the time are in --json")
    return lines


def _moment(moment: Mapping[str, Any]) -> str:
    at = moment["at"]
    when = (
        "a time that its name does not say" if at is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    )
    return f"{when} ({moment['snapshot'] or 'now'})"


def _node(node: Mapping[str, Any], at: int | None) -> Iterator[tuple[str, str]]:
    beat, record = node["heartbeat"], node["record"]
    if beat:
        yield "heard", _heard(beat, at)
        yield "up", f"{_age(beat.get('uptime'))}, boot {str(beat.get('boot_id'))[:8]}, load {_load(beat.get('load'))}"
        yield (
            "pools",
            ", ".join(f"{name} {health}" for name, health in (beat.get("pools") or {}).items()) or "not known",
        )
        if beat.get("containers", {}) is None:
            yield "containers", "not known"
        for name, container in sorted((beat.get("containers") or {}).items()):
            yield "container", f"{name}: {', '.join(container.get('services', ())) or 'no service'}"
    else:
        yield "heard", "never" if "now/heartbeat.json" not in node["unread"] else "could not be read"
    applied = (record or {}).get("applied")
    if record:
        yield "record", f"epoch {record.get('epoch')}{', retired' if record.get('retired') else ''}"
    if applied:
        yield "applied", f"{_when(applied.get('at'))} by {applied.get('by')}, commit {str(applied.get('commit'))[:12]}"
    for name, each in sorted(((record or {}).get("datasets") or {}).items()):
        yield "replica", f"{name}: {each.get('snapshot') or 'nothing arrived'}"
    if node.get("reading"):
        yield "reading", "there; the whole of it with --json"
    for file, why in node["unread"].items():
        yield "not read", f"{file}: {why}"


def _heard(beat: Mapping[str, Any], at: int | None) -> str:
    received = beat.get("received")
    if at is None or not isinstance(received, int | float):
        return _when(received)
    return f"{_age(at - received)} before, {_when(received)}; heartbeat {beat.get('sequence')}"


def _age(seconds: object) -> str:
    return say_age(max(0, int(seconds))) if isinstance(seconds, int | float) else "not known"


def _when(at: object) -> str:
    return (
        time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at)) if isinstance(at, int | float) else "at no known time"
    )


def _load(load: object) -> str:
    return " ".join(str(each) for each in load) if isinstance(load, list) else "not known"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _filled(head: str, text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=indent, **_WHOLE) or [head.rstrip()]
