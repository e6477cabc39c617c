"""The one thread that writes heartbeats: takes all that waits, makes it durable with one fsync, answers, then files.

Files follow as soon as nothing comes for a moment, else every now and then: under load a node's newest heartbeat alone
is written, and no more than a part of the time goes into that.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

WAITING = 32 * 1024 * 1024  # bytes that may wait; more is refused at once, so that memory stays bounded
MOMENT = 0.03  # seconds without anything to write, after which files follow
LAG = 0.5  # seconds that they may be behind the log while something always comes
SHARE = 5  # or this many times what writing them took the last time


class Full(Exception):
    """More waits than can be kept."""


class Log(Protocol):
    """What wal.Log does."""

    size: int

    def append(self, found: list[bytes]) -> None: ...
    def rewrite(self, found: list[bytes]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
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
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._waiting = 0
        self._newest: dict[Hashable, bytes] = {}
        self._dirty: dict[Hashable, bytes] = {}
        self._spread_by = time.monotonic() + LAG
        self._pause = MOMENT
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.failed = ""  # why the last append failed; "": it did not
        self.written = 0.0  # when the last one ended well, seconds since 1970

    def start(self, known: Mapping[Any, bytes]) -> None:
        """`known`: what is on the log already."""
        self._newest = dict(known)
        self._dirty = dict(known)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """All that waits is written first."""
        self._queue.put(None)
        self._thread.join()
        self._log.close()

    async def write(self, key: Hashable, document: bytes) -> None:
        """Durable when this returns. Raises Full, and OSError when it could not be written."""
        if self._waiting + len(document) > WAITING:
            raise Full("more waits to be written than can be kept")
        entry = Entry(key, document, asyncio.get_running_loop().create_future())
        self._waiting += len(document)
        self._queue.put(entry)
        await entry.done

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            if batch:
                error = self._append(batch)
                self._loop.call_soon_threadsafe(self._answer, batch, error)
            if self._dirty and (not batch or not going or time.monotonic() > self._spread_by):
                self._files()

    def _gather(self) -> tuple[list[Entry], bool]:
        batch: list[Entry] = []
        try:
            entry = self._queue.get(timeout=self._pause if self._dirty else None)
            while entry is not None:
                batch.append(entry)
                entry = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _append(self, batch: list[Entry]) -> OSError | None:
        try:
            self._usable()
            self._log.append([each.document for each in batch])
        except OSError as error:
            self.failed = error.strerror or str(error)
            return error
        self.failed, self.written = "", time.time()
        for each in batch:
            self._newest[each.key] = self._dirty[each.key] = each.document
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

    def _files(self) -> None:
        began = time.monotonic()
        dirty, self._dirty = self._dirty, {}
        try:
            self._usable()
            for key, document in dirty.items():
                self._one(key, document)
            if self._log.size > self._grown:
                self._log.rewrite(list(self._newest.values()))
            if not self._dirty:
                self._trouble("")
        except OSError as error:
            self._dirty = dirty | self._dirty
            self._trouble(str(error))
        now = time.monotonic()
        self._spread_by = now + max(LAG, SHARE * (now - began))
        self._pause = LAG if self._dirty else MOMENT  # what cannot be written now is not tried at every moment

    def _one(self, key: Hashable, document: bytes) -> None:
        """A file that cannot be written now is tried again."""
        try:
            self._spread(document)
        except OSError as error:
            self._dirty[key] = document
            self._trouble(str(error))
