"""All that the service keeps of the fleet: in memory, on the log, and as files. It belongs to the event loop."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from blackstart.serve.changes import changes
from blackstart.serve.config import Config
from blackstart.serve.events import Events, New
from blackstart.serve.fleet import Fleet, kept, key_of_beat, missed, ticks
from blackstart.serve.folders import Folders, pretty, put
from blackstart.serve.heartbeat import Heartbeat, ServiceBeat
from blackstart.serve.refused import Refused
from blackstart.serve.wal import GROWN, Log
from blackstart.serve.writer import Full, Writer
from blackstart.vault.store import ReadOnly

UNTOLD = 10_000  # events that are kept while they cannot be written
MISSED = 60  # seconds before the newest event from which on one may be missing


class Store:
    """`live`: the folder of the vault's live state. `usable` raises OSError where nothing may be written now."""

    def __init__(self, config: Config, live: Path, usable: Callable[[], None], events: Events) -> None:
        self.config, self.events, self.usable = config, events, usable
        self.now = live / "now"
        self.fleet = Fleet(config.nodes)
        self.folders = Folders(live)
        self.counts: Counter[str] = Counter()
        self.trouble = ""  # why files are behind; "": they are not
        self.silence = ""  # why events could not be written; "": they were
        self._untold: list[New] = []  # belongs to the thread that tells
        self._log = Log(self.now / "heartbeats.wal")
        self._telling = ThreadPoolExecutor(1, "events")
        self.writer = Writer(self._log, usable, self._spread, self.behind, GROWN)

    def start(self) -> None:
        """Go on where the last run ended. Raises OSError."""
        documents = self._log.read()
        known = self.fleet.load(documents, time.time(), ticks())
        if odd := sum(kept(each) is None for each in documents):
            why = f"{odd} lines are no heartbeats, and are passed over"
            print(f"{self.now / 'heartbeats.wal'}: {why}", file=sys.stderr, flush=True)
        self.writer.start(known)
        said = missed(documents, self.events.told, self.events.at - MISSED)
        self.tell([New("heartbeat", node, text, {"sequence": number}) for node, number, text in said])

    def stop(self) -> None:
        """All that was taken is on the disk, files included."""
        self.writer.stop()
        self._telling.shutdown()

    def readable(self) -> None:
        """`usable`, for who only looks. Raises OSError."""
        with suppress(ReadOnly):
            self.usable()

    async def heartbeat(self, beat: Heartbeat | ServiceBeat) -> None:
        """Durable when this returns. Raises Refused."""
        key = key_of_beat(beat)
        old = self.fleet.known.get(key)
        try:
            document, new = self.fleet.next(beat, time.time(), ticks(), self._recorded)
        except ValueError as error:
            raise Refused(409, str(error)) from None
        self.fleet.known[key] = new
        try:
            await self.writer.write(key, document)
        except (OSError, Full) as error:
            if self.fleet.known[key] is new:
                self._forget(key, old)
            raise Refused(503, f"the vault cannot keep it now: {_why(error)}") from None
        if isinstance(beat, Heartbeat):
            said = changes(old.said if old else None, new.beat)
            told = [New("heartbeat", beat.node, text, {"sequence": beat.sequence}) for text in said]
            if told:  # what is acknowledged is in the history as well; seldom, so that it costs little
                await asyncio.get_running_loop().run_in_executor(self._telling, self._tell, told)

    def tell(self, new: list[New]) -> None:
        """Events of what was seen here, in order; nobody waits for the disk. Also again what could not be written."""
        if new or self.silence:
            self._telling.submit(self._tell, new)

    def _tell(self, new: list[New]) -> None:
        self._untold = (self._untold + new)[-UNTOLD:]
        try:
            self.events.add_all(self._untold)
        except OSError as error:
            why = f"{self.events.path.name}: {error.strerror or error}"
            if why != self.silence:
                print(f"events cannot be written: {why}", file=sys.stderr, flush=True)
            self.silence = why
            return
        self._untold, self.silence = [], ""

    def _recorded(self, node: str) -> int | None:
        """The node's epoch by the vault's own record."""
        try:
            epoch = json.loads((self.now.parent / node / "record.json").read_text(encoding="utf-8"))["epoch"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return epoch if isinstance(epoch, int) else None

    def _forget(self, key: tuple[str, ...], old: Any) -> None:
        """What was not kept may be sent again."""
        if old is None:
            del self.fleet.known[key]
        else:
            self.fleet.known[key] = old

    def index(self) -> dict[str, Any]:
        """Every node of the fleet, as of now: the document `index`."""
        now = ticks()
        nodes = {name: self._entry(name, now) for name in sorted(self.fleet.nodes)}
        return {"format": 1, "vault": self.config.vault, "at": int(time.time()), "nodes": nodes}

    def _entry(self, name: str, now: float) -> dict[str, Any]:
        known, wishes = self.fleet.known.get((name,)), self.fleet.nodes[name]
        beat = known.beat if known else {}
        said = {
            key: beat.get(key)
            for key in ("received", "status", "missed", "sequence", "epoch", "uptime", "pools", "applied")
        }
        age = None if known is None or known.at is None else round(max(0.0, now - known.at), 1)
        heard = {"heard": self.fleet.heard(name, now), "age": age, "period": wishes.period, "grace": wishes.grace}
        running = beat.get("containers")
        return heard | said | {"containers": None if running is None else sorted(running)}

    def write_index(self, index: dict[str, Any]) -> None:
        """index.json, whole; in any thread. Raises OSError."""
        self.usable()
        put(self.now / "index.json", pretty(index))

    def _spread(self, document: bytes) -> None:
        """In the writer's thread."""
        beat = json.loads(document)
        if "service" in beat:
            self.folders.service(beat)
        else:
            self.folders.heartbeat(beat)

    def behind(self, why: str) -> None:
        """Files could not be written; the log has it all."""
        if why and why != self.trouble:
            print(f"files of live state are behind: {why}", file=sys.stderr, flush=True)
        self.trouble = why


def _why(error: OSError | Full) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
