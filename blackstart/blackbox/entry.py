"""One line of the history, from whichever log it was kept in. Pure: JSON in, a sentence out, whatever it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from blackstart.blackbox.shape import is_time
from blackstart.drift.damping import Event as DriftEvent
from blackstart.drift.finding import Finding
from blackstart.drift.words import line as drift_line

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: seconds since 1970, by the clock of the vault that wrote it. `node` "": of the whole fleet.

    `kind`: heartbeat, heard, signal, announce ... as in events.jsonl; deploy, replicated, retired, rebuild, restore
    of a journal; drift of a vault's own checks; drill of what it played.
    """

    at: int
    node: str
    kind: str
    text: str


def happened(data: Data) -> Entry | None:
    """A line of events.jsonl. None for what is none."""
    return _entry(data, str(data.get("node", "")), str(data.get("kind", "")), str(data.get("text", "")))


def drifted(data: Data) -> Entry | None:
    """A line of what a vault's checks announced."""
    try:
        event = DriftEvent(data["event"], data["at"], data["since"], Finding(**data["finding"]), data.get("why", ""))
        return _entry(data, event.finding.node, "drift", drift_line(event))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError):
        return None


def journalled(node: str, data: Data) -> Entry | None:
    """A line of a node's journal. An event that this version does not know is told by its own word."""
    event = str(data.get("event", ""))
    kind, words = _JOURNAL.get(event, ("journal", lambda data: event))
    try:
        return _entry(data, node, kind, words(data))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return _entry(data, node, kind, event)


def drilled(node: str, data: Data) -> Entry | None:
    """A line of the drills that this vault played of a node."""
    try:
        lost = "" if data["rpo"] is None else f", {data['rpo']} s of data would be lost"
        named = f" of @{data['named']}" if data["named"] else ""
        why = f": {'; '.join(data['why'])}" if data["why"] else ""
        return _entry(data, node, "drill", f"a drill{named} {_DRILLS[data['verdict']]}, {data['rto']:.0f} s{lost}{why}")
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


_DRILLS = {"passed": "passed", "failed": "FAILED", "incomplete": "could not look at all"}


def _entry(data: Data, node: str, kind: str, text: str) -> Entry | None:
    at = data.get("at")
    return Entry(int(at), node, kind, text) if is_time(at) and kind and text else None


def _applied(data: Data) -> str:
    commit = f" at commit {_short(data['commit'])}" if data["commit"] else ""
    return f"{data['event']} by {data['by']}{commit}, epoch {data['epoch']}"


def _replicated(data: Data) -> str:
    reason = "" if data["reason"] == "interval" else f" ({data['reason']})"
    return f"{data['dataset']}@{data['snapshot']} arrived{reason}"


def _put_aside(data: Data) -> str:
    return f"the replica of {data['dataset']} is damaged (@{data['snapshot']}: {data['why']}), and kept as {data['to']}"


def _retired(data: Data) -> str:
    return f"{data['what']} was retired by {data['by']}"


def _rebuild(data: Data) -> str:
    said = {
        "open": "a rebuild to epoch {epoch} was begun by {by}",
        "made": "the rebuild to epoch {epoch} has made its pools",
        "abandon": "the rebuild was given up by {by}; epoch {epoch} stays",
        "finished": "what follows the rebuild to epoch {epoch} is done",
    }
    return said[data["do"]].format(**{"by": "nobody known", **data})


def _elsewhere(data: Data) -> str:
    return f"rebuilt to epoch {data['epoch']} by {data['by']}, from vault {data['vault']}"


def _begun(data: Data) -> str:
    return f"a restore for epoch {data['epoch']} was started by {data['by']}"


def _failed(data: Data) -> str:
    return f"the restore failed: {'; '.join(data['why'])}"


def _back(data: Data) -> str:
    what = "the node is back" if data["event"] == "rebuilt" else "data is back"
    count = len(data["datasets"])
    lost = f"{data['rpo']} s of data lost, {data['rto']:.0f} s taken"
    return f"{what}: {count} dataset{'s' * (count != 1)}, {lost}, by {data['by']}"


def _short(commit: str) -> str:
    commit, dash, dirty = commit.partition("-")
    return commit[:12] + dash + dirty


_JOURNAL: dict[str, tuple[str, Callable[[Data], str]]] = {
    "enrolled": ("deploy", _applied),
    "applied": ("deploy", _applied),
    "replicated": ("replicated", _replicated),
    "replica put aside": ("replica", _put_aside),
    "retired": ("retired", _retired),
    "rebuild open": ("rebuild", _rebuild),
    "rebuild made": ("rebuild", _rebuild),
    "rebuild abandon": ("rebuild", _rebuild),
    "rebuild finished": ("rebuild", _rebuild),
    "rebuilt elsewhere": ("rebuild", _elsewhere),
    "restore": ("restore", _begun),
    "restore failed": ("restore", _failed),
    "rebuilt": ("rebuild", _back),
    "restored": ("restore", _back),
}
