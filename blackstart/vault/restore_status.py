"""How a restore stands: the status file that `attach` reads, and one plain line per event for the journal."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blackstart.failpoint import reach
from blackstart.vault import files
from blackstart.vault.restore_plan import Phase, Plan, Progress

FORMAT = 1
NAME = "restore.json"


class Status:
    """Thread-safe: the stream and the starting containers report at the same time."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.items = {i.dataset: Progress(i.dataset, f"{i.snapshot}", i.bytes) for i in plan.items}
        self.containers = {start.container: "waiting" for start in plan.starts}
        self.errors: list[str] = []
        self.started = time.time()
        self._path = folder / NAME
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._written = 0.0
        self._rate: tuple[float, int] = (0.0, 0)
        self.rate = 0.0

    def phase(self, dataset: str, phase: Phase) -> None:
        """A dataset enters a phase; the time it spent in the one before is kept."""
        with self._lock:
            item = self.items[dataset]
            now = time.monotonic()
            if dataset in self._since:
                item.seconds[item.phase] = item.seconds.get(item.phase, 0.0) + now - self._since[dataset]
            self._since[dataset] = now
            item.phase = phase
            self._rate = (now, item.sent)
        self.write("running")

    def sent(self, dataset: str, sent: int) -> None:
        """Bytes of `dataset` on the way so far; the file and the log follow once a second at most."""
        now = time.monotonic()
        with self._lock:
            item = self.items[dataset]
            item.sent = sent
            passed, moved = now - self._rate[0], sent - self._rate[1]
            self.rate = moved / passed if passed > 0 else 0.0
        if now - self._written >= 1:
            reach("restore.moving")
            self.write("running")
            self.say(f"{dataset}: {_mega(sent)} of {_mega(item.bytes)} MB, {_mega(self.rate)} MB/s{self._left()}")

    def container(self, name: str, state: str) -> None:
        with self._lock:
            self.containers[name] = state
        self.write("running")

    def error(self, why: str) -> None:
        with self._lock:
            self.errors.append(why)
        self.say(why)

    def _left(self) -> str:
        missing = sum(max(0, item.bytes - item.sent) for item in self.items.values() if item.phase != "done")
        return f", {missing / self.rate:.0f} s left" if self.rate > 0 else ""

    def say(self, line: str) -> None:
        print(line, flush=True)

    def write(self, state: str, **more: Any) -> None:
        """Replace the status file. `state`: waiting, running, done, failed."""
        with self._lock:
            self._written = time.monotonic()
            total = sum(item.bytes for item in self.items.values())
            done = sum(i.bytes if i.phase in ("cutover", "done") else i.sent for i in self.items.values())
            document = {
                "format": FORMAT,
                "node": self.plan.node,
                "epoch": self.plan.epoch,
                "plan": self.plan.created,
                "begun": self.plan.details.get("begun", self.plan.created),
                "state": state,
                "at": time.time(),
                "started": self.started,
                "bytes": total,
                "sent": done,
                "rate": round(self.rate),
                "datasets": [asdict(item) for item in self.items.values()],
                "containers": dict(self.containers),
                "errors": list(self.errors),
                **more,
            }
            files.replace(self._path, json.dumps(document, indent=1, sort_keys=True) + "\n")


def _mega(value: float) -> str:
    return f"{value / 1e6:.1f}"
