"""What is said of events: a title and a short text that a person reads on a telephone (templates/announce). Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from blackstart.converge.render import render
from blackstart.serve.events import Event

MOST = 20  # events in one message; nobody reads more there, and some chats cut it


def message(vault: str, events: Sequence[Event]) -> tuple[str, str]:
    """Title and text of one message about all of them, the newest MOST of them in full."""
    shown = [
        {
            "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(each.at)),
            "where": each.node or "fleet",
            "severity": each.data.get("severity", ""),
            "text": _printable(each.text),
        }
        for each in events[-MOST:]
    ]
    words = render("announce/events.j2", vault=vault, events=shown, more=len(events) - len(shown)).decode()
    title, _, text = words.partition("\n")
    return title, text.strip()


def _printable(text: str) -> str:
    """What came from a host or a caller, without what a terminal or a chat would act on."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
