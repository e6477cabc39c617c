"""The signals of a vault's service, put together: from what the deploy wrote, to what people are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from blackstart.serve.events import Event, New
from blackstart.signal.book import Book
from blackstart.signal.config import PATH, load
from blackstart.signal.here import Here, Take
from blackstart.signal.journal import Journal
from blackstart.signal.model import Signal
from blackstart.signal.nodes import Nodes
from blackstart.signal.service import Service

Add = Callable[[str, str, str, dict[str, object]], Event]


def made(live: Path, usable: Callable[[], None], add: Add, take: Take, path: Path = Path(PATH)) -> Service:
    """`live`: the vault's folder; `usable` raises OSError while it is not; `add`: as `Events.add`; `take`: see `Here`.

    Raises OSError, ValueError where the deploy has not written what may be signalled.
    """
    config = load(path.read_text(encoding="utf-8"))
    here = Here(config, take, str(live), ready=usable)

    async def say(kind: str, signal: Signal) -> None:
        new = event(kind, signal)
        await asyncio.to_thread(add, new.kind, new.node, new.text, new.data)

    book = Book(Journal(live / "now" / "signals"))
    return Service(config, book, Nodes(tuple(config.nodes)), here.vault(say))


def event(kind: str, signal: Signal) -> New:
    """What is said of a signal that was given, closed, ended by itself, or came to nothing after it was said."""
    node = next(iter(signal.nodes)) if len(signal.nodes) == 1 else ""
    data = {
        "severity": signal.severity,
        "state": kind,
        "token": signal.token,
        "scope": signal.scope,
        "snapshots": {name: on.snapshot for name, on in signal.nodes.items() if on.taken},
        "missing": sorted(signal.missing),
    }
    return New("signal", node, _text(kind, signal), data)


def _text(kind: str, signal: Signal) -> str:
    what = f"{signal.severity} on {signal.scope} by {signal.by}: {signal.reason}"
    if kind == "open":
        until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(signal.until))
        without = f"; without {', '.join(sorted(signal.missing))}" if signal.missing else ""
        return f"{what} (open until {until}{without})"
    if kind == "closed":
        return f"{signal.outcome}: {what}"
    return f"nobody closed {what}" if kind == "expired" else f"came to nothing, and was undone: {what}"
