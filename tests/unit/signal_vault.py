"""The service of signals with a vault that is fit for all, asks and pulls nothing: what is left are nodes and files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from blackstart.serve.events import Events
from blackstart.signal.book import Book
from blackstart.signal.captures import Captures
from blackstart.signal.config import Grant, Signals
from blackstart.signal.give import event
from blackstart.signal.journal import Journal
from blackstart.signal.model import OnNode, Signal
from blackstart.signal.opening import Vault
from blackstart.signal.service import Service


def service(root: Path, nodes: Any, tree: tuple[str, ...]) -> Service:
    """`nodes`: the real ones, or what stands in for them; `tree`: datasets of node1."""
    events = Events(root / "events.jsonl")
    config = Signals("vault1", "bank", {"node1": Grant((), tree)})

    async def fit(severity: str) -> str:
        return ""

    async def learn(node: str, capture: str) -> str:
        return ""

    async def pull(node: str, on: OnNode) -> set[str]:
        return {each.guid for each in on.taken}

    async def say(kind: str, signal: Signal) -> None:
        await asyncio.to_thread(events.add_all, [event(kind, signal)])

    captures = Captures(root / "live", config.nodes)
    vault = Vault(fit, lambda node: ("", ""), captures, learn, pull, say)
    return Service(config, Book(Journal(root / "signals")), nodes, vault)
