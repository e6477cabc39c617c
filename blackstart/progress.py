"""Long work shows that it lives: elapsed time and what it does just now."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_line = threading.Lock()
console = Console(stderr=True, highlight=False)

_QUIET_SECONDS = 20.0  # without a terminal: a line as often as this


class Progress:
    """One running task. Call `says()` as often as you like; it draws or prints no more than it should."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.begun = time.monotonic()
        self._printed = self.begun
        # A terminal shows one live line; what runs beside it prints plain ones.
        live = sys.stderr.isatty() and _line.acquire(blocking=False)
        self._status = console.status(title) if live else None
        if self._status is not None:
            self._status.start()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def says(self, what: str) -> None:
        text = f"{self.title} · {self.elapsed:.0f} s · {what.strip()[:80]}"
        if self._status is not None:
            self._status.update(text.replace("[", "\\["))
        elif time.monotonic() - self._printed >= _QUIET_SECONDS:
            self._printed = time.monotonic()
            console.print(text, markup=False)

    def ends(self) -> None:
        if self._status is not None:
            self._status.stop()
            _line.release()


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show `title` while the block runs, and how long it took once it is over."""
    task = Progress(title)
    try:
        yield task
    finally:
        task.ends()
    console.print(f"{title}: {task.elapsed:.1f} s", markup=False)
