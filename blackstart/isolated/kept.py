"""What drills of one node leave on the vault: last.json, events.jsonl, files.json, reports, in a folder of bs-drill."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blackstart.isolated import result
from blackstart.isolated.result import Result
from blackstart.isolated.sample import Seen
from blackstart.vault import files

REPORTS = 50  # pages that stay
LAST, PASSED, EVENTS, FILES, ASKED = "last.json", "passed.json", "events.jsonl", "files.json", "asked.json"
_FORMAT = 1


def last(folder: Path) -> Result | None:
    """The newest drill of the newest data; None where there was none, or it cannot be read."""
    try:
        return result.load((folder / LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def keep(folder: Path, made: Result, page: str) -> None:
    """The result, for people and programs. Raises OSError."""
    text = json.dumps(result.document(made), indent=1) + "\n"
    reports = folder / "reports"
    reports.mkdir(exist_ok=True)
    files.replace(reports / f"{made.id}.json", text, 0o644)
    files.replace(reports / f"{made.id}.html", page, 0o644)
    if not made.named:
        files.replace(folder / LAST, text, 0o644)
        if made.verdict == "passed":
            files.replace(folder / PASSED, text, 0o644)
    # Last: whoever reads of the event finds the rest.
    files.append(folder / EVENTS, json.dumps(brief(made), sort_keys=True))
    _let_go(reports)


def brief(made: Result) -> dict[str, Any]:
    """One line of events.jsonl: what the timeline tells."""
    found = result.document(made)
    names = ("format", "event", "id", "node", "vault", "by", "at", "named", "seconds", "verdict", "rpo", "rto", "why")
    return {name: found[name] for name in (*names, "bytes")}


def _let_go(reports: Path) -> None:
    pages = sorted(reports.glob("*.html"), key=lambda path: path.stat().st_mtime)
    for page in pages[:-REPORTS]:
        page.unlink()
        page.with_suffix(".json").unlink(missing_ok=True)


def seen(folder: Path) -> dict[str, dict[str, Seen]]:
    """Dataset -> path -> as an earlier drill read it; {} where that is not known."""
    try:
        data = json.loads((folder / FILES).read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            return {}
        return {
            dataset: {path: Seen(**each) for path, each in found.items()} for dataset, found in data["datasets"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def keep_seen(folder: Path, found: dict[str, dict[str, Seen]]) -> None:
    """Raises OSError."""
    datasets = {name: {path: asdict(seen) for path, seen in sorted(each.items())} for name, each in found.items()}
    text = json.dumps({"format": _FORMAT, "datasets": datasets}, indent=1) + "\n"
    files.replace(folder / FILES, text, 0o600)


def asked(folder: Path) -> dict[str, str] | None:
    """Who wants this drill, and of which snapshot (`by`, `named`); None: nobody, it is the timer's."""
    path = folder / ASKED
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return {name: str(data.get(name, ""))[:200] for name in ("by", "named")}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        path.unlink(missing_ok=True)
        return {"by": "somebody", "named": ""}
