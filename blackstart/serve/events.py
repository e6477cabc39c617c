"""What happened, one line each in events.jsonl, numbered: written by one process, followed by many.

An event is on the disk before anybody is told of it. Numbers grow for ever, so whoever was away asks for what came
after the last one that they saw. What is left out for one who was away for long is told as an event, too: here of those
that are too many to send, in the file of those that are too old to keep (thin.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from blackstart.blackbox.lines import newest_first
from blackstart.vault import files

FORMAT = 1
RECENT = 1000  # kept in memory
MOST = 10_000  # that a reader who was away gets; what is older is in the file
HISTORY = "blackstart timeline has them"


@dataclass(frozen=True, slots=True)
class New:
    """What is to be written. `text`: one sentence. `data["severity"]`: people are told (announce/places.py)."""

    kind: str  # heartbeat, signal, announce, service ...
    node: str  # "": of the fleet
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: seconds since 1970, by this vault's clock. The rest as in New."""

    id: int
    at: int
    kind: str
    node: str
    text: str
    data: dict[str, Any]

    def line(self) -> str:
        """As it stands in the file, and in the stream."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)


def left_out(number: int, at: int, why: str) -> Event:
    """In place of the events up to that number: what one reads who asks for them."""
    return Event(number, at, "service", "", f"events up to {number} are left out: {why}", {"left_out": number})


class Events:
    """The log of one vault. Any thread may add to it."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises OSError, also where the log can be read and not written: then nobody begins to rely on it."""
        self.path = path
        self._clock = clock
        self._writing = threading.Lock()
        self._memory = threading.Lock()  # never held while anything is written
        self._bells: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        if not path.exists():
            path.touch(mode=0o644)
            files.sync_folder(path.parent)
        with path.open("ab"):
            pass
        newest = list(islice(_read(path), RECENT))
        self._recent = deque(reversed(newest), RECENT)
        self._last = newest[0].id if newest else 0
        self._followed = True
        # Of its own: what waits for asyncio's cannot be cancelled, and would hold up the end of the service.
        self._reading = ThreadPoolExecutor(2, "history")

    @property
    def last(self) -> int:
        """The number of the newest event on the disk; 0: there is none."""
        with self._memory:
            return self._recent[-1].id if self._recent else 0

    @property
    def at(self) -> int:
        """When the newest event happened, seconds since 1970; 0: there is none."""
        with self._memory:
            return self._recent[-1].at if self._recent else 0

    def told(self, node: str, sequence: int) -> bool:
        """Whether the recent events have one of that node's heartbeat."""
        with self._memory:
            return any(
                each.kind == "heartbeat" and each.node == node and each.data.get("sequence") == sequence
                for each in self._recent
            )

    def add(self, kind: str, node: str, text: str, data: dict[str, Any] | None = None) -> Event:
        """Write one event and wait until it is on the disk. Raises OSError: it may not be there, and nobody is told."""
        return self.add_all([New(kind, node, text, data or {})])[0]

    def add_all(self, new: Iterable[New]) -> list[Event]:
        """The same of several, which wait for the disk once."""
        with self._writing:
            now, first = int(self._clock()), self._last + 1
            made = [Event(first + n, now, each.kind, each.node, each.text, each.data) for n, each in enumerate(new)]
            if not made:
                return []
            # Before the write: of one that fails a part may be there, and no number is given twice.
            self._last = made[-1].id
            size = self.path.stat().st_size if self.path.exists() else 0  # somebody may have moved it away
            try:
                files.append(self.path, "\n".join(each.line() for each in made))
            except OSError:
                # It is tried again and again: what is there of it by now would come to fill the disk.
                with contextlib.suppress(OSError):
                    os.truncate(self.path, size)
                raise
            with self._memory:
                self._recent.extend(made)
        self._ring()
        return made

    def end_followers(self) -> None:
        """Each `follow` ends after what it has to say; for good. What is long ago is read for nobody any more."""
        self._followed = False
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._ring()

    @contextmanager
    def held_still(self) -> Iterator[None]:
        """Nobody adds to the file meanwhile."""
        with self._writing:
            yield

    def _ring(self) -> None:
        with self._memory:
            bells = list(self._bells)
        for loop, bell in bells:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(bell.set)

    def after(self, number: int) -> list[Event]:
        """What came after that event, oldest first, the newest MOST of it. Reads the file when it is long ago.

        If there is more, the first one says so. A number that was never given is one of a log that was lost: then it is
        all that there is.
        """
        if number > self._last:
            number = 0
        recent = self._in_memory(number)
        if recent is not None:
            return recent
        found = list(islice(takewhile(lambda each: each.id > number, _read(self.path)), MOST + 1))[::-1]
        if len(found) > MOST:
            found[0] = left_out(found[0].id, found[0].at, f"of more than {MOST:,} the newest are sent; {HISTORY}")
        return found

    def up_to(self, last: int, after: int, wanted: Callable[[Event], bool]) -> list[Event]:
        """What is `wanted` of the events behind `after` and up to `last`, oldest first, all of it. Raises OSError."""
        found = takewhile(lambda each: each.id > after, _read(self.path))
        return [each for each in found if each.id <= last and wanted(each)][::-1]

    def _in_memory(self, number: int) -> list[Event] | None:
        """None: some of it is in the file alone."""
        with self._memory:
            if self._recent and number < self._recent[0].id - 1 and self._recent[0].id > 1:
                return None
            return [each for each in self._recent if each.id > number]

    async def _long_ago(self, number: int) -> list[Event]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, self.after, number)
        except (RuntimeError, asyncio.CancelledError):
            if self._followed:
                raise
            return []

    async def follow(self, after: int, idle: float) -> AsyncGenerator[Event | None, None]:
        """Every event after that one, as they come; None whenever there was none for `idle` seconds.

        Until `end_followers`.
        """
        place = asyncio.get_running_loop(), asyncio.Event()
        with self._memory:
            self._bells.add(place)
        try:
            while self._followed:
                place[1].clear()
                new = self._in_memory(after) if after <= self._last else None
                for event in await self._long_ago(after) if new is None else new:
                    yield event
                    after = event.id
                try:
                    async with asyncio.timeout(idle):  # Python 3.11's wait_for may lose a cancellation
                        await place[1].wait()
                except TimeoutError:
                    yield None
        finally:
            with self._memory:
                self._bells.discard(place)


def _read(path: Path) -> Iterable[Event]:
    """Newest first. What is no event of ours is passed over."""
    return filter(None, map(understood, newest_first(path)))


def understood(data: Mapping[str, Any]) -> Event | None:
    """A line of the file; None for what is no event of ours."""
    try:
        if data["format"] == FORMAT and isinstance(data["id"], int) and isinstance(data["data"], dict):
            return Event(**{name: data[name] for name in Event.__slots__})
    except (KeyError, TypeError):
        pass
    return None
