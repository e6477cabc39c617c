"""The thread that writes heartbeats: takes all that waits, makes it durable with one fsync, answers.

Files are another thread's, so that nobody waits for those of a node that has many: they follow as soon as nothing comes
for a moment, else every now and then. Under load a node's newest heartbeat alone is written, and no more than a part of
the time goes into that.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

WAITING = 32 * 1024 * 1024  # bytes that may wait; more is refused at once, so that memory stays bounded
MOMENT = 0.03  # seconds without anything to write, after which files follow
LAG = 0.5  # seconds that they may be behind the log while something always comes
PAUSE = 60  # seconds until a log that could not be shortened is tried again
SHARE = 5  # or this many times what writing them took the last time


class Full(Exception):
    """More waits than can be kept."""


class Log(Protocol):
    """What wal.Log does."""

    size: int

    def append(self, found: list[bytes]) -> None: ...
    def rewrite(self, found: list[bytes]) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Entry:
    """`key`: of entries with the same one the newest alone is of interest."""

    key: Hashable
    document: bytes
    done: asyncio.Future[None]


class Writer:
    """`spread` writes an entry's files, `trouble` hears of what goes wrong there, and "" when all is well.

    `usable` raises OSError where nothing may be written at this moment.
    """

    def __init__(
        self,
        log: Log,
        usable: Callable[[], None],
        spread: Callable[[bytes], None],
        trouble: Callable[[str], None],
        grown: int,
    ) -> None:
        self._log, self._usable, self._spread, self._trouble, self._grown = log, usable, spread, trouble, grown
        self._queue: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._next: list[Entry] = []  # those that go with the next fsync
        self._writing = False  # whether the thread has some, or is about to
        self._waiting = 0
        self._newest: dict[Hashable, bytes] = {}
        self._files = Files(usable, spread, trouble)
        self._shorter_by = 0.0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.failed = ""  # why the last append failed; "": it did not
        self.written = 0.0  # when the last one ended well, seconds since 1970

    @property
    def goes_on(self) -> bool:
        """Whether what comes is written at all."""
        return self._thread.is_alive() and self._files.is_alive()

    def start(self, known: Mapping[Any, bytes]) -> None:
        """`known`: what is on the log already."""
        self._newest = dict(known)
        self._files.follow(self._newest)
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._files.start()

    def stop(self) -> None:
        """All that waits is written first."""
        self._hand_over()
        self._queue.put(None)
        self._thread.join()
        self._files.end()
        self._log.close()

    async def write(self, key: Hashable, document: bytes) -> None:
        """Durable when this returns. Raises Full, and OSError when it could not be written."""
        if self._waiting + len(document) > WAITING:
            raise Full("more waits to be written than can be kept")
        entry = Entry(key, document, self._loop.create_future())
        self._waiting += len(document)
        self._next.append(entry)
        if not self._writing:
            self._writing = True
            self._loop.call_soon(self._hand_over)
        await entry.done

    def _hand_over(self) -> None:
        """All at once: to wake a thread costs as much as to take a heartbeat."""
        batch, self._next = self._next, []
        self._writing = bool(batch)
        if batch:
            self._queue.put(batch)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            error = self._append(batch)
            self._loop.call_soon_threadsafe(self._answered, batch, error)
            self._shorten()

    def _answered(self, batch: list[Entry], error: OSError | None) -> None:
        """What came meanwhile goes next."""
        self._hand_over()
        self._answer(batch, error)

    def _append(self, batch: list[Entry]) -> OSError | None:
        try:
            self._usable()
            self._log.append([each.document for each in batch])
        except OSError as error:
            self.failed = error.strerror or str(error)
            return error
        self.failed, self.written = "", time.time()
        new = {each.key: each.document for each in batch}
        self._newest |= new
        self._files.follow(new)
        return None

    def _answer(self, batch: list[Entry], error: OSError | None) -> None:
        for each in batch:
            self._waiting -= len(each.document)
            if each.done.done():
                continue
            if error:
                each.done.set_exception(error)
            else:
                each.done.set_result(None)

    def _shorten(self) -> None:
        """A log that has grown holds the newest of each alone from then on. It goes on growing where that fails."""
        if self._log.size <= self._grown or time.monotonic() < self._shorter_by:
            return
        try:
            self._log.rewrite(list(self._newest.values()))
        except OSError as error:
            self._shorter_by = time.monotonic() + PAUSE
            print(f"the log of heartbeats stays long for now: {error.strerror or error}", file=sys.stderr, flush=True)


class Files(threading.Thread):
    """Writes the files of what is on the log. Arguments as Writer has them."""

    def __init__(
        self, usable: Callable[[], None], spread: Callable[[bytes], None], trouble: Callable[[str], None]
    ) -> None:
        super().__init__(name="files", daemon=True)
        self._usable, self._spread, self._trouble = usable, spread, trouble
        self._dirty: dict[Hashable, bytes] = {}
        self._news = threading.Condition()
        self._came = self._by = time.monotonic()
        self._ending = False

    def follow(self, new: Mapping[Any, bytes]) -> None:
        """Their files are to be written; any thread."""
        with self._news:
            if not self._dirty:  # else it looks by itself
                self._news.notify()
            self._dirty |= new
            self._came = time.monotonic()

    def end(self) -> None:
        """All of them are written first, as far as they can be."""
        with self._news:
            self._ending = True
            self._news.notify()
        self.join()

    def run(self) -> None:
        while True:
            with self._news:
                while not self._ending and not self._due():
                    self._news.wait(MOMENT if self._dirty else None)
                dirty, self._dirty, last = self._dirty, {}, self._ending
            began = time.monotonic()
            left = self._pass(dirty)
            with self._news:
                self._dirty = left | self._dirty
            if last:
                return
            now = time.monotonic()
            self._by = now + max(LAG, SHARE * (now - began))
            if left:  # what cannot be written now is not tried at every moment
                with self._news:
                    self._news.wait_for(lambda: self._ending, LAG)

    def _due(self) -> bool:
        """Nothing came for a moment, or files are behind for too long."""
        now = time.monotonic()
        return bool(self._dirty) and (now - self._came >= MOMENT or now > self._by)

    def _pass(self, dirty: dict[Hashable, bytes]) -> dict[Hashable, bytes]:
        """Write them; those that could not be."""
        left: dict[Hashable, bytes] = {}
        why = ""
        try:
            self._usable()
        except OSError as error:
            left, dirty, why = dirty, {}, str(error)
        for key, document in dirty.items():
            try:
                self._spread(document)
            except Exception as error:  # whatever lies there: the others' files go on
                left[key] = document
                why = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        self._trouble(why)
        return left
