"""Who has not said for too long that it lives: told once, when it changes. No silent node is guessed to be dead."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import get_args

from blackstart.serve.events import New
from blackstart.serve.fleet import ticks
from blackstart.serve.store import Store
from blackstart.status.heard import Heard, heard

EVERY = 1.0  # seconds between two looks
INDEX = 5.0  # seconds after which index.json is written anew at the latest

_SAID: dict[str, str] = {
    "fresh": "{} is heard again",
    "late": "{} is late: no heartbeat for {:.0f} s",
    "silent": "{} is silent: no heartbeat for {:.0f} s",
}


class Watch:
    """One task beside the service."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._started = ticks()
        self._told: dict[str, Heard] = {}
        self._indexed = float("-inf")

    def start(self) -> None:
        self._told = self._remembered()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._index()

    async def _run(self) -> None:
        while True:
            now = ticks()
            changed = self.look(now)
            self._store.tell([])
            if changed or now - self._indexed >= INDEX:
                self._indexed = now
                await self._index()
            await asyncio.sleep(EVERY)

    def look(self, now: float) -> bool:
        """Tell what changed since the last look, and whether anything did."""
        fleet, changed = self._store.fleet, False
        for node, wishes in fleet.nodes.items():
            known = fleet.known.get((node,))
            if known is None or known.at is None:
                continue
            # While this service did not run nobody could be heard: that is no node's fault.
            found = heard(max(known.at, self._started), now, wishes.period, wishes.grace)
            before = self._told.get(node, "fresh")
            self._told[node] = found
            if found != before:
                changed = True
                text = _SAID[found].format(node, now - known.at)
                data = {"heard": found, "before": before}
                if "silent" in data.values():
                    data["severity"] = "silent"  # people are told of it, and when it is over
                self._store.tell([New("heard", node, text, data)])
        return changed

    async def _index(self) -> None:
        try:
            await asyncio.to_thread(self._store.write_index, self._store.index())
        except OSError as error:
            self._store.behind(str(error))

    def _remembered(self) -> dict[str, Heard]:
        """What was told before this start, out of index.json."""
        try:
            nodes = json.loads((self._store.now / "index.json").read_text(encoding="utf-8"))["nodes"]
            found = {name: each["heard"] for name, each in nodes.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}
        return {name: each for name, each in found.items() if each in get_args(Heard) and each != "unknown"}
