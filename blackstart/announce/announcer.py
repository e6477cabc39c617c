"""Tells the places of what they are to hear, in the vault's service: each by itself, again until it was taken.

It follows the log of events, so nobody waits for it, and remembers on the disk what each place has taken: a restart
tells what was not told. A place may hear something twice after a kill, and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.announce import places, send
from blackstart.announce.message import message
from blackstart.announce.places import Place
from blackstart.serve.events import Event, Events
from blackstart.vault import files

FORMAT = 1
AT_ONCE = 4  # processes that send
FIRST, LONGEST = 5.0, 600.0  # seconds until it is tried again: doubled each time
TICK = 5.0  # seconds between two looks at what is due

Send = Callable[[str, str, str], Awaitable[None]]


@dataclass
class _Outbox:
    """`told`: the number of the last event that needs no telling any more. `due`: monotonic seconds."""

    told: int
    waiting: list[Event] = field(default_factory=list)
    failures: int = 0
    due: float = 0.0
    task: asyncio.Task[None] | None = None


class Announcer:
    """`announced`: the file of places, read again when it changes. `memory`: what each of them has taken."""

    def __init__(
        self, vault: str, events: Events, announced: Path, memory: Path, sender: Send = send.send, tick: float = TICK
    ) -> None:
        self._vault = vault
        self._events = events
        self._announced = announced
        self._memory = memory
        self._send = sender
        self._tick = tick
        self._outboxes: dict[Place, _Outbox] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._stamp: object = None
        self._heard = 0  # the newest event that was sorted in

    def untold(self) -> int:
        """The number of the first event that some place has still to be told of, as far as is known here."""
        waiting = [box.waiting[0].id for box in self._outboxes.values() if box.waiting]
        return min([self._heard + 1, *waiting])

    async def run(self) -> None:
        """Until the events end, or cancelled. What it cannot do it says on stderr, and goes on."""
        known = await asyncio.to_thread(self._load)
        seen = self._events.last
        await self._look_for_places(known, seen)
        while self._stamp is None:  # whom to tell is not known: what each has taken is not forgotten meanwhile
            await asyncio.sleep(self._tick)
            await self._look_for_places(known, seen)
        known, seen = known or {}, self._events.last
        first = min([seen, *(each.told for each in self._outboxes.values())])
        try:
            while True:
                try:
                    if first < seen:
                        # However many others came since: a reader who was away is not sent all of them.
                        for missed in await asyncio.to_thread(self._events.up_to, seen, first, _is_told):
                            self._sort_in(missed)
                        first = seen
                    self._heard = max(self._heard, seen)
                    self._begin()
                    async for event in self._events.follow(self._heard, self._tick):
                        await self._look_for_places(known, self._heard)
                        if event:
                            self._sort_in(event)
                            self._heard = event.id
                        self._begin()
                    return
                except OSError as error:  # what came long ago is read from the disk
                    self._say(f"{self._events.path}: {error.strerror or error}; people are told once it can be read")
                    await asyncio.sleep(self._tick)
        finally:
            tasks = [each.task for each in self._outboxes.values() if each.task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._keep()

    async def _look_for_places(self, known: dict[str, int] | None, seen: int) -> None:
        """A place that is new here is told of what comes from now on; None: of none is it known what it has taken."""
        try:
            status = self._announced.stat() if self._announced.exists() else None
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size) if status else ()
            if stamp == self._stamp:
                return
            there = places.load(self._announced)
        except (OSError, ValueError) as error:
            self._say(f"{self._announced}: {error}; the places are as before")
            return
        self._stamp = stamp
        for gone in set(self._outboxes) - set(there):
            task = self._outboxes.pop(gone).task
            if task:
                task.cancel()
        for place in there:
            told = 0 if known is None else min(known.get(send.name(place.url), seen), seen)
            self._outboxes.setdefault(place, _Outbox(told))
        await self._keep()  # before anything is to be told: a kill must not make it forget that

    def _sort_in(self, event: Event) -> None:
        for place, box in self._outboxes.items():
            if event.id > box.told and _is_told(event) and place.hears(event.data["severity"]):
                box.waiting.append(event)

    def _begin(self) -> None:
        now = time.monotonic()
        for place, box in self._outboxes.items():
            if box.waiting and now >= box.due and (box.task is None or box.task.done()):
                box.task = asyncio.create_task(self._deliver(place, box))

    async def _deliver(self, place: Place, box: _Outbox) -> None:
        """What waits, as one message, and what came meanwhile as another; ends when one was not taken."""
        while box.waiting:
            batch = list(box.waiting)
            try:
                async with self._slots:
                    await self._send(place.url, *message(self._vault, batch))
            except (send.AnnounceError, OSError) as error:
                pause = min(LONGEST, FIRST * 2**box.failures)
                box.failures, box.due = min(box.failures + 1, 16), time.monotonic() + pause
                if box.failures == 1:
                    await self._log(f"{error}; it is tried again until it is")
                return
            del box.waiting[: len(batch)]
            box.told = batch[-1].id
            await self._keep()
            if box.failures:
                box.failures, box.due = 0, 0.0
                await self._log(f"the place {send.name(place.url)} takes announcements again")

    async def _log(self, text: str) -> None:
        """Without a severity: nobody is told that they could not be told."""
        self._say(text)
        try:
            await asyncio.to_thread(self._events.add, "announce", "", text)
        except OSError as error:
            self._say(f"that could not be written to {self._events.path}: {error.strerror}")

    def _load(self) -> dict[str, int] | None:
        """Name of a place -> what it has taken. None: that cannot be read."""
        try:
            data = json.loads(self._memory.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
            return {str(name): int(number) for name, number in data["told"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._say(f"{self._memory}: {error}; what is on the log is told again")
            return None

    def _needs_no_more(self, box: _Outbox) -> int:
        return box.waiting[0].id - 1 if box.waiting else max(box.told, self._heard)

    async def _keep(self) -> None:
        told = {send.name(place.url): self._needs_no_more(box) for place, box in self._outboxes.items()}
        text = json.dumps({"format": FORMAT, "told": told}, sort_keys=True) + "\n"
        try:
            await asyncio.to_thread(files.replace, self._memory, text, 0o644)
        except OSError as error:
            self._say(f"{self._memory}: {error.strerror}; after a restart some things are told twice")

    @staticmethod
    def _say(text: str) -> None:
        print(text, file=sys.stderr)


def _is_told(event: Event) -> bool:
    return isinstance(event.data.get("severity"), str)
