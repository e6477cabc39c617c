"""The signals of a running service: given once however often they are sent, closed, expired, their holds let go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from blackstart.failpoint import reach
from blackstart.signal import steps, words
from blackstart.signal.asked import Asked, Outcome, Refused
from blackstart.signal.book import Book, digest
from blackstart.signal.channel import Silent
from blackstart.signal.config import Signals
from blackstart.signal.model import Signal, Taken
from blackstart.signal.nodes import EVERY, Nodes
from blackstart.signal.opening import Opening, Vault
from blackstart.signal.steps import Failed
from blackstart.vault import layout

log = logging.getLogger(__name__)

LONGEST = 7 * 86400  # seconds: what is held longer than that fills a pool unnoticed
TICK = 5  # seconds between two looks for signals that are over
AGAIN = 30  # seconds until holds that could not be let go are tried again
PATIENCE = 10  # seconds that an answer waits for holds to be let go
SWEEP = 3600  # seconds between two looks for what is past its time


class Service:
    """`start` it within the event loop, `stop` it when the service ends: what is under way is finished first."""

    def __init__(self, config: Signals, book: Book, nodes: Nodes, vault: Vault) -> None:
        self.config = config
        self.book = book
        self.nodes = nodes
        self.vault = vault
        self._running: dict[tuple[str, str], tuple[str, asyncio.Task[Signal]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Raises OSError where the journal cannot be read."""
        for signal in await self.book.load():
            with contextlib.suppress(OSError):  # a disk that is full: at the next start
                await self._say(signal)
        loops = (self._expire(), self._let_go_all(), self._forgotten(), self._look(), self._sweep())
        self._loops = [asyncio.create_task(loop) for loop in loops]

    async def stop(self, patience: float = 60) -> None:
        """What was asked is answered, within `patience` seconds; of what is not, nothing stays, within as many more."""
        for loop in self._loops:
            loop.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=patience)
        await self.nodes.close()

    async def open(self, asked: Asked, who: str, only: str = "") -> tuple[Signal, bool]:
        """(the signal, whether it is a new one). Raises Refused, and OSError where it could not be written down."""
        wanted = digest(asked)
        before = self.book.by_key(who, asked.key)
        if before is not None:
            _same(before.digest, wanted, asked.key)
            return before, False
        running = self._running.get((who, asked.key)) if asked.key else None
        if running is not None:
            _same(running[0], wanted, asked.key)
            return await asyncio.shield(running[1]), False
        task = self._task(self._open(asked, who, only))
        if asked.key:
            self._running[who, asked.key] = (wanted, task)
            task.add_done_callback(lambda _: self._running.pop((who, asked.key), None))
        # Who asked may go away; what was begun comes to its end.
        return await asyncio.shield(task), True

    async def _open(self, asked: Asked, who: str, only: str) -> Signal:
        opening = Opening(asked, who, self.config, self.book, self.nodes, self.vault)
        try:
            signal = await opening.run(only)
        except BaseException:
            await self._patiently(self.let_go())
            await self.sweep()
            raise
        self._task(self._complete(signal))
        return signal

    def _task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _patiently(self, work: Coroutine[Any, Any, Any]) -> None:
        """Wait a while for it; it goes on in any case."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(self._task(work))

    async def _complete(self, signal: Signal) -> None:
        """A dataset that is younger than the node's last look has a snapshot and a hold too: now it is listed."""
        for node, on in signal.nodes.items():
            if not on.taken:
                continue
            with contextlib.suppress(Silent, Failed, OSError):
                found = await steps.complete(self.nodes.channel(node), on)
                if set(found.taken) > set(on.taken):
                    await self.book.change(signal.token, partial(_with, node, found.taken))

    async def close(self, token: str, outcome: Outcome, who: str, any_of: bool = True) -> Signal:
        """`any_of`: also of others than `who`. Closing it twice alike is closing it once. Raises Refused, OSError."""
        signal = self.book.get(token)
        if not any_of and signal.who != who:
            raise Refused(
                "conflict", f"signal {token} was given by {signal.who}: who gave it closes it, or an operator"
            )
        if signal.state == "open":
            signal = await self.book.change(
                token, partial(_closed, state="closed", outcome=outcome, at=self.book.now())
            )
        if signal.state == "expired":
            raise Refused("conflict", f"signal {token} ended by itself: nobody closed it within its lifetime")
        if signal.outcome != outcome:
            raise Refused("conflict", f"signal {token} was closed already, as {signal.outcome}")
        if signal.told != "closed":
            await self._say(signal)
        await self._patiently(self.let_go())
        return self.book.get(token)

    async def _expire(self) -> None:
        while True:
            for signal in self.book.over():
                with contextlib.suppress(OSError):  # a disk that is full: again in a moment
                    end = partial(_closed, state="expired", outcome="", at=self.book.now())
                    await self._say(await self.book.change(signal.token, end))
                    self._task(self.let_go())
            await asyncio.sleep(TICK)

    async def _say(self, signal: Signal) -> None:
        """Tell people how it stands. Raises OSError; a service that starts anew tells what was not told."""
        await self.vault.say(signal.state, signal)
        await self.book.told(signal)

    async def _let_go_all(self) -> None:
        while True:
            await self.let_go()
            await asyncio.sleep(AGAIN)

    async def _look(self) -> None:
        while True:
            await self.nodes.look_at_all()
            await asyncio.sleep(EVERY)

    async def let_go(self) -> None:
        """Of every signal that is over, on every node that has not said that it did."""
        await asyncio.gather(*(self._let_go(signal, node) for signal in self.book.left() for node in signal.held))

    async def _let_go(self, signal: Signal, node: str) -> None:
        step = steps.undo if signal.state == "failed" else steps.release
        try:
            await step(self.nodes.channel(node), signal.token, signal.nodes[node])
        except (Silent, Failed, KeyError) as error:
            log.warning("%s: the holds of signal %s stay for now: %s", node, signal.token, error)
            return
        reach("signal.let_go")
        await self.book.note(signal.token, partial(_without, node))

    async def _sweep(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP)

    async def sweep(self) -> None:
        """Captures of signals that came to nothing go at once, others and signals when their time is over."""
        try:
            await self.vault.captures.sweep(self.book.known, self.book.now())
            await self.book.thin()
        except OSError as error:
            log.warning("what is left of signals stays for now: %s", error)

    async def _forgotten(self) -> None:
        while True:
            await asyncio.gather(*(self._forgotten_on(node) for node in self.nodes.names))
            await asyncio.sleep(LONGEST / 7)

    async def _forgotten_on(self, node: str) -> None:
        """Holds of this vault's signals that its journal does not have: a power cut came before the disk.

        A journal may also be older than its signals, on a vault that was itself restored. So they are let go only
        when no signal could be open any more.
        """
        with contextlib.suppress(Silent, ValueError):
            channel = self.nodes.channel(node)
            for token, name in words.held(await channel.ask("held", timeout=steps.TAKE)):
                age = self.book.now() - (layout.snapshot_time(name) or self.book.now())
                if self.book.known(token) is None and age > LONGEST:
                    log.warning("%s: a hold of signal %s, which nobody knows any more, is let go", node, token)
                    await channel.ask("release", token, name, "node", timeout=steps.RELEASE)


def _closed(signal: Signal, state: Literal["closed", "expired"], outcome: str, at: int) -> Signal:
    """Whoever came first has ended it."""
    return replace(signal, state=state, outcome=outcome, closed=at) if signal.state == "open" else signal


def _without(node: str, signal: Signal) -> Signal:
    return replace(signal, held=tuple(name for name in signal.held if name != node))


def _with(node: str, taken: tuple[Taken, ...], signal: Signal) -> Signal:
    return signal.on(node, taken=taken)


def _same(before: str, now: str, key: str) -> None:
    if before != now:
        raise Refused("conflict", f"the key {key!r} was used for another signal: give this one a key of its own")
