"""The log of events stays bounded: what is older than the black box looks back goes, from its beginning.

Seldom, since each snapshot of the vault's live state keeps what is written anew: only once a quarter of the log is too
old. In its place stands one line that says so. A clock that is wrong takes nothing that a reader who was away could
still ask for, and the snapshots have the rest.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from blackstart.serve.events import MOST, Event, Events, left_out, understood
from blackstart.vault import files
from blackstart.vault.blackbox import DAYS

FIRST, EVERY = 60, 3600  # seconds to the first look, and between two
SHARE = 4  # of the log
KEPT = DAYS * 86400  # seconds
_WHY = f"the log keeps {DAYS} days; snapshots of the black box have them"


async def thinning(events: Events, untold: Callable[[], int], usable: Callable[[], None]) -> None:
    """For as long as the service runs. `untold`: the oldest event that some place has still to hear of."""
    await asyncio.sleep(FIRST)
    while True:
        try:
            usable()
            await asyncio.to_thread(thin, events, int(time.time()) - KEPT, untold())
        except OSError as error:
            print(f"{events.path}: what is too old stays for now: {error.strerror or error}", file=sys.stderr)
        await asyncio.sleep(EVERY)


def thin(events: Events, before: int, untold: int) -> int:
    """Let go of a quarter that happened before that moment; how many bytes went. Raises OSError.

    The log is whole at every moment, whenever this is killed. Whoever adds to it waits for the end of a copy alone.
    """
    size, last = _head(events.path, before, min(untold, events.last - MOST + 1))
    if last is None:
        return 0
    fresh = events.path.with_name(f".{events.path.name}.fresh")
    try:
        with events.path.open("rb") as old, fresh.open("wb") as new:
            os.fchmod(new.fileno(), os.fstat(old.fileno()).st_mode & 0o777)
            new.write(left_out(last.id, last.at, _WHY).line().encode() + b"\n")
            old.seek(size)
            shutil.copyfileobj(old, new)
            with events.held_still():
                shutil.copyfileobj(old, new)
                new.flush()
                os.fsync(new.fileno())
                fresh.replace(events.path)
                files.sync_folder(events.path.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return size


def _head(path: Path, before: int, first: int) -> tuple[int, Event | None]:
    """How many bytes may go, and the last event in them; None: it is not worth it. Those from `first` on stay.

    Only what stands before every event that is young enough: one line with a wrong time takes none along.
    """
    with path.open("rb") as log:
        goal = os.fstat(log.fileno()).st_size // SHARE
        log.seek(goal)
        log.readline()
        line = log.readline()
        if not line or not _goes(_event(line), before, first):
            return 0, None
        log.seek(0)
        size, last = 0, None
        while size < goal:
            line = log.readline()
            event = _event(line)
            if not _goes(event, before, first):
                return 0, None
            size, last = size + len(line), event or last
        # The line that stands for what went before is nothing to let go of.
        return (0, None) if last is None or "left_out" in last.data else (size, last)


def _event(line: bytes) -> Event | None:
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return understood(data) if isinstance(data, dict) else None


def _goes(event: Event | None, before: int, first: int) -> bool:
    """What is no event goes with those around it."""
    return event is None or (event.at < before and event.id < first)
