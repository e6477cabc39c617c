"""Reads what a vault was told and what it holds.

Every file is replaced whole by whoever writes it. One that cannot be read is unknown, and the others still count.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.serve import config
from blackstart.status import told
from blackstart.status.holds import Held, held
from blackstart.status.judge import judge
from blackstart.status.model import Status
from blackstart.status.told import OpenSignal, Proven, Recorded, Told
from blackstart.vault import layout
from blackstart.vault.record import load_record
from blackstart.vault.store import mounted

T = TypeVar("T")
_REBUILT = b'"event": "rebuilt"'


@dataclass
class Look:
    """Looks again and again at one vault's folder; a file that did not change is not parsed again.

    `replicas`: node -> what is held of it, or why that is not known. `usable` raises OSError where `live` is only the
    empty place of a dataset that is not mounted.
    """

    settings: config.Config
    live: Path = Path(layout.LIVE)
    replicas: Callable[[], Reading[Mapping[str, Held]]] = lambda: held(Path(layout.REPLICATION))
    usable: Callable[[], None] = mounted
    _known: dict[Path, tuple[tuple[int, int, int], Any]] = field(default_factory=dict)

    def status(self, now: int) -> Status:
        """`now`: seconds since 1970. Raises OSError where the vault's dataset is not mounted."""
        self.usable()
        replicas = self.replicas()
        nodes = [self._told(name, replicas) for name in self.settings.nodes]
        return judge(self.settings.vault, now, nodes, self._signals())

    def _told(self, node: str, replicas: Reading[Mapping[str, Held]]) -> Told:
        folder, watch = self.live / node, self.settings.nodes[node]
        of_node = replicas.value.get(node) if isinstance(replicas, Present) else None
        ages = of_node and Present(of_node.ages)
        return Told(
            node=node,
            period=watch.period,
            grace=watch.grace,
            beat=self._file(folder / "heartbeat.json", lambda path: told.beat(path.read_text(encoding="utf-8"))),
            record=self._file(folder / "record.json", _record),
            replicas=replicas if isinstance(replicas, Unknown) else ages or ABSENT,
            rpo=of_node.rpo if of_node else None,
            proven=self._proven(folder / "journal.jsonl"),
            drill=self._file(folder / "drill" / "last.json", lambda path: told.played(path.read_text("utf-8"))),
        )

    def _file(self, path: Path, parse: Callable[[Path], T]) -> Reading[T]:
        """What `parse` makes of a file, once for each state of it."""
        try:
            at = path.stat()
            state = (at.st_ino, at.st_mtime_ns, at.st_size)
            if path not in self._known or self._known[path][0] != state:
                self._known[path] = (state, parse(path))
            return Present(self._known[path][1])
        except FileNotFoundError:
            return ABSENT
        except (OSError, ValueError) as error:
            return Unknown(f"{path.name}: {_clause(error)}")

    def _proven(self, journal: Path) -> Reading[Proven]:
        found = self._file(journal, _newest_rebuild)
        if not isinstance(found, Present):
            return found
        return Present(found.value) if found.value else ABSENT

    def _signals(self) -> Reading[tuple[OpenSignal, ...]]:
        """Whether one is open is judged by the service, which closes those that are past their time."""
        found = []
        try:
            for path in sorted((self.live / "now" / "signals").glob("*.json")):
                each = self._file(path, lambda path: told.signal(path.read_text(encoding="utf-8")))
                if isinstance(each, Unknown):
                    return each
                if isinstance(each, Present) and each.value:
                    found.append(each.value)
        except OSError as error:
            return Unknown(_clause(error))
        return Present(tuple(found))


def _record(path: Path) -> Recorded:
    return told.recorded(load_record(path.read_text(encoding="utf-8")))


def _newest_rebuild(path: Path) -> Proven | None:
    """Of a journal, from its end: it has a line for each snapshot that ever arrived."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for line in _backwards(text):
                return line
    return None


def _backwards(text: mmap.mmap) -> Iterable[Proven]:
    end = len(text)
    while (at := text.rfind(_REBUILT, 0, end)) >= 0:
        begin = text.rfind(b"\n", 0, at) + 1
        stop = text.find(b"\n", at)
        found = told.proven(text[begin:stop]) if stop >= 0 else None  # without its end it is torn, or being written
        if found:
            yield found
        end = begin


def _clause(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


@dataclass
class Recent:
    """What `look` saw, for many who ask at the same time: a second old at the most."""

    look: Look
    every: float = 1
    _alone: threading.Lock = field(default_factory=threading.Lock)
    _at: float = float("-inf")
    _last: Status | None = None

    def __call__(self) -> Status:
        """Raises OSError as `look` does."""
        with self._alone:
            if self._last is None or time.monotonic() - self._at >= self.every:
                self._last, self._at = self.look.status(int(time.time())), time.monotonic()
            return self._last
