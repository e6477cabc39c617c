"""A vault's service on a live folder, as far as the page needs it, on 127.0.0.1; and the browser."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from status_world import SIGNAL, age, folder, heartbeat, record, settings

from blackstart.reading import Present
from blackstart.serve.routes import page as routes
from blackstart.status.holds import Held
from blackstart.status.look import Look, Recent

CHROMIUM = "/usr/bin/chromium-headless-shell"
NODES = ("node1", "node2", "node3")


@dataclass
class World:
    """A vault's live folder, and the service on it. `tell` sends an event to every page that listens."""

    live: Path
    url: str = ""
    _waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[str]]] = field(default_factory=list)

    def beat(self, node: str, **other: Any) -> None:
        """The node is heard of now, or as `other` says."""
        fresh = self.live / node / ".fresh"
        fresh.write_text(json.dumps(heartbeat(node, **{"received": time.time()} | other)))
        fresh.replace(self.live / node / "heartbeat.json")

    def signal(self, **other: Any) -> None:
        now = int(time.time())
        known = {"token": SIGNAL.id, "state": "open", "severity": SIGNAL.severity, "scope": SIGNAL.scope}
        one = known | {"reason": SIGNAL.reason, "by": SIGNAL.by, "at": now - 60, "until": now + 840} | other
        (self.live / "now" / "signals" / f"{one['token']}.json").write_text(json.dumps(one))

    def tell(self) -> None:
        for loop, queue in self._waiting:
            loop.call_soon_threadsafe(queue.put_nowait, "id: 1\ndata: {}\n\n")

    @property
    def listening(self) -> int:
        return len(self._waiting)

    def app(self) -> FastAPI:
        made = FastAPI()
        made.include_router(routes.router)
        replicas = {
            "node1": Held(3600, (age("tank/data/notes"), age("tank/lxc/files", 900))),
            "node2": Held(3600, (age("tank/data/ledger", 7800, "stale"),)),
        }
        made.state.recent = Recent(Look(settings(*NODES), self.live, lambda: Present(replicas), lambda: None), every=0)

        @made.get("/api/events")
        async def events() -> StreamingResponse:
            place = asyncio.get_running_loop(), asyncio.Queue[str]()
            self._waiting.append(place)

            async def stream() -> AsyncIterator[str]:
                yield ": hello\n\n"
                while True:
                    yield await place[1].get()

            return StreamingResponse(stream(), media_type="text/event-stream")

        return made


def staged(live: Path) -> World:
    """node1 is well; node2 runs what is node1's, and lags; node3 is silent."""
    made = World(live)
    folder(live, *NODES)
    made.beat("node1", containers={"notes": {"services": ["notes.service", "cron.service"]}})
    made.beat("node2", received=time.time() - 125)
    made.beat("node3", received=time.time() - 3970, containers={})
    (live / "node3" / "journal.jsonl").unlink()
    (live / "node3" / "record.json").write_text(record("node3"))
    made.signal()
    return made


@contextmanager
def serving(made: World) -> Iterator[World]:
    config = uvicorn.Config(made.app(), "127.0.0.1", 0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        words = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        yield made
        made.close()
