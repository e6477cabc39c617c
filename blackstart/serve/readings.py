"""Whole readings that nodes send: kept as live/<node>/now/state.json, then judged (judging.py). One at a time."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from blackstart.live.model import Live
from blackstart.serve import reading
from blackstart.serve.judging import Judging
from blackstart.serve.refused import Refused
from blackstart.serve.replay import Last, follow
from blackstart.serve.store import Store
from blackstart.vault import files

AT_ONCE = 4  # bodies in memory


class Readings:
    """Beside the store."""

    def __init__(self, store: Store, judging: Judging) -> None:
        self._store, self._judging = store, judging
        self._room = asyncio.Semaphore(AT_ONCE)
        self._parsing = asyncio.Lock()
        self._last: dict[str, Last] = {}

    def room(self) -> asyncio.Semaphore:
        """To be held while a body is in memory. Raises Refused where too many are."""
        if self._room.locked():
            raise Refused(503, "other readings are being taken; send the next one as usual")
        return self._room

    async def take(self, node: str, body: bytes) -> None:
        """On the disk when this returns. Raises Refused."""
        async with self._parsing:
            live = await self._understood(node, body)
            try:
                last = follow(self._last.get(node) or self._remembered(node), reading.place(live))
            except ValueError as error:
                raise Refused(409, str(error)) from None
            await self._keep(node, live, last)
            self._last[node] = last
        self._store.counts["readings"] += 1
        self._judging.add(node)

    async def _understood(self, node: str, body: bytes) -> Live:
        try:
            return await asyncio.to_thread(reading.understood, node, body)
        except ValueError as error:
            raise Refused(422, str(error)) from None

    def _remembered(self, node: str) -> Last | None:
        try:
            return reading.last_of(json.loads(self._file(node, "state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    async def _keep(self, node: str, live: Live, last: Last) -> None:
        try:
            text = json.dumps(reading.document(node, live, time.time(), last), allow_nan=False) + "\n"
        except ValueError:
            raise Refused(422, "this reading has a number that JSON does not know") from None
        try:
            self._store.usable()
            await asyncio.to_thread(files.replace, self._file(node, "state.json"), text, 0o644)
        except OSError as error:
            raise Refused(503, f"the vault cannot keep it now: {error.strerror or error}") from None

    def _file(self, node: str, name: str) -> Path:
        return self._store.folders.now(node) / name
