"""The nodes that a vault may signal: one open connection to each, and what it said of itself a moment ago."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from blackstart.signal import words
from blackstart.signal.channel import Channel, Silent
from blackstart.signal.config import SSH_CONFIG
from blackstart.signal.steps import Failed
from blackstart.signal.words import Look
from blackstart.vault import layout

AGE = 30  # seconds that a look is enough to begin with: what is taken comes with another one
EVERY = 15  # seconds between two looks at the same node
TIMEOUT = 15  # for a look, connecting included


def by_ssh(node: str) -> list[str]:
    """The client of one connection; its other end runs the gate, whatever it asks for."""
    return ["ssh", "-T", "-F", SSH_CONFIG, "-l", layout.SIGNAL, node]


class Nodes:
    """`command`: node -> the client of one connection to it."""

    def __init__(self, names: Sequence[str], command: Callable[[str], Sequence[str]] = by_ssh) -> None:
        self.names = tuple(names)
        self._command = command
        self._channels = {name: Channel(command(name)) for name in names}
        self._looks: dict[str, tuple[float, Look]] = {}

    def channel(self, node: str) -> Channel:
        """The one that stays open. Raises KeyError."""
        return self._channels[node]

    def own(self, node: str) -> Channel:
        """One more, for what takes long or has to end with its connection; the caller closes it."""
        return Channel(self._command(node))

    async def look(self, node: str) -> Look:
        """How it is now. Raises Silent, and Failed where it answers and does not know."""
        try:
            found = words.look(await self._channels[node].ask("look", timeout=TIMEOUT))
        except ValueError as error:
            raise Failed(f"it could not look at its pools: {error}") from None
        self._looks[node] = (time.monotonic(), found)
        return found

    async def silence(self, node: str) -> str:
        """Why it does not answer now, "" when it does. Over a new connection: an open one may break for less."""
        channel = self.own(node)
        try:
            await channel.ask("look", timeout=TIMEOUT)
        except Silent as error:
            return str(error)
        finally:
            await channel.close()
        return ""

    async def ready(self, node: str) -> Look:
        """How it was a moment ago, where nothing spoke against a snapshot then; else as `look`."""
        at, found = self._looks.get(node, (0.0, Look()))
        if found.full and self._channels[node].is_open and time.monotonic() - at <= AGE and not found.refusal():
            return found
        return await self.look(node)

    async def look_at_all(self) -> None:
        """So that a signal need not wait for a look. Who does not answer is found out when it matters."""
        some = asyncio.Semaphore(20)

        async def one(node: str) -> None:
            async with some:
                try:
                    await self.look(node)
                except (Silent, Failed):
                    self._looks.pop(node, None)

        await asyncio.gather(*(one(node) for node in self.names))

    async def close(self) -> None:
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
