"""A vault's signals over two nodes whose gates are the real ones, with a zfs that writes down what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from gate_world import Host

from blackstart.signal.asked import Asked
from blackstart.signal.book import Book
from blackstart.signal.captures import Captures
from blackstart.signal.config import Grant, Signals
from blackstart.signal.journal import Journal
from blackstart.signal.model import OnNode, Signal
from blackstart.signal.nodes import Nodes
from blackstart.signal.opening import Vault
from blackstart.signal.service import Service

T = TypeVar("T")
MAY = Asked("node:node1", "may-break", "an upgrade")
WILL = Asked("fleet", "will-break", "a move", deadline=10)


class World:
    """`said`: what people were told. `lost`: nodes whose connection fails. `pulls`: what arrives of a node.

    `learned`: what became a node's newest reading; `unlearned`: why it did not.
    """

    def __init__(self, folder: Path) -> None:
        self.hosts = {}
        for name in ("node1", "node2"):
            (folder / name).mkdir()
            self.hosts[name] = Host(folder / name)
        self.folder = folder / "signals"
        self.folder.mkdir()
        self.live = folder / "live"
        for name in self.hosts:
            (self.live / name / "now").mkdir(parents=True)
        self.said: list[tuple[str, str]] = []
        self.lost: set[str] = set()
        self.slow: set[str] = set()
        self.learned: dict[str, str] = {}
        self.unlearned = ""
        self.unfit = ""
        self.now = 1795313113.0
        self.pulls: Callable[[str, OnNode], Awaitable[set[str]]] = self._all
        grant = Grant(("notes",), ("tank/data/notes", "tank/data/ledger"))
        self.config = Signals("vault1", "backup", {"node1": grant, "node2": Grant(("files",), ("tank/data/notes",))})

    def run(self, work: Callable[[Service], Awaitable[T]]) -> T:
        """One life of a service."""

        async def life() -> T:
            service = self.service()
            await service.start()
            try:
                return await work(service)
            finally:
                await service.stop(10)

        return asyncio.run(life())

    def service(self) -> Service:
        nodes = Nodes(tuple(self.config.nodes), self._command)
        captures = Captures(self.live, self.config.nodes)
        vault = Vault(self._unfit, lambda node: ("sha256:1", "c0ffee"), captures, self._learn, self._pull, self._say)
        return Service(self.config, Book(Journal(self.folder), lambda: self.now), nodes, vault)

    def open(self, asked: Asked, who: str = "ann", only: str = "") -> Signal:
        """In a life of its own."""

        async def work(service: Service) -> Signal:
            return (await service.open(asked, who, only))[0]

        return self.run(work)

    def _command(self, node: str) -> list[str]:
        if node in self.lost:
            return ["sh", "-c", "echo ssh: no route to host >&2; exit 255"]
        if node in self.slow:
            return ["sleep", "60"]
        return self.hosts[node].command()

    async def _unfit(self, severity: str) -> str:
        return self.unfit

    async def _learn(self, node: str, capture: str) -> str:
        self.learned[node] = Path(capture).read_text()
        return self.unlearned

    async def _pull(self, node: str, on: OnNode) -> set[str]:
        return await self.pulls(node, on)

    async def _all(self, node: str, on: OnNode) -> set[str]:
        return {each.guid for each in on.taken}

    async def _say(self, kind: str, signal: Signal) -> None:
        self.said.append((kind, signal.token))

    def calls(self, first: str, node: str = "node1") -> list[str]:
        return self.hosts[node].calls(first)

    def stands(self) -> list[Signal]:
        """What the disk has."""
        return list(Journal(self.folder).read().values())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what the service does by itself."""
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


def raised(work: Callable[[], Any]) -> str:
    """The sentence of a refusal."""
    from blackstart.signal.asked import Refused

    try:
        work()
    except Refused as error:
        return f"{error.kind}: {error}"
    raise AssertionError("not refused")
