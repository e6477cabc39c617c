"""What a vault holds of each node, and the loss that is accepted; asked of ZFS, which may never answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.reading import NOT_ASKED, Present, Reading, Unknown
from blackstart.vault import config
from blackstart.vault.ages import ages
from blackstart.vault.freshness import Age
from blackstart.vault.zfs import CommandError


@dataclass(frozen=True, slots=True)
class Held:
    """Of one node. `rpo`: seconds of loss that are accepted."""

    rpo: int
    ages: tuple[Age, ...]


Holds = Reading[Mapping[str, Held]]


def held(folder: Path) -> Holds:
    """`folder`: what is pulled from each node (config.Replication). A node of which nothing is pulled is not in it."""
    try:
        wishes = [config.load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        found = ages(folder, int(time.time())) if any(each.datasets for each in wishes) else {}
    except (CommandError, OSError, ValueError) as error:
        return Unknown(str(error))
    return Present({each.node: Held(each.rpo, tuple(found[each.node])) for each in wishes if each.datasets})


@dataclass
class Kept:
    """The same for many who ask: asked of ZFS once in a while, by a thread of its own.

    A suspended pool holds whoever asks inside the kernel for ever; nobody here waits longer than `patience` seconds.
    """

    ask: Callable[[], Holds]
    every: float = 60
    patience: float = 5
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answered: threading.Event = field(default_factory=threading.Event)
    _asking: float | None = None  # since when, by the monotonic clock
    _at: float = float("-inf")
    _last: Holds = NOT_ASKED

    def __call__(self) -> Holds:
        with self._lock:
            now = time.monotonic()
            if self._asking is None and now - self._at >= self.every:
                self._asking = now
                self._answered.clear()
                threading.Thread(target=self._run, daemon=True).start()
            first = self._at == float("-inf")
        if first:
            self._answered.wait(self.patience)
        with self._lock:
            if self._asking is not None and time.monotonic() - self._asking > max(self.patience, self.every):
                return Unknown(f"ZFS has not answered for {time.monotonic() - self._asking:.0f} s")
            if self._asking is not None and first:
                return Unknown(f"no answer of ZFS within {self.patience:g} s")
            return self._last

    def _run(self) -> None:
        try:
            found = self.ask()
        except Exception as error:  # the next one asks again
            found = Unknown(f"{type(error).__name__}: {error}")
        with self._lock:
            self._last, self._at, self._asking = found, time.monotonic(), None
            self._answered.set()
