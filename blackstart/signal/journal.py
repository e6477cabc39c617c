"""The signals of a vault on its disk: a journal that is durable, and beside it one file for each signal to read.

The journal alone counts: one line with the whole of a signal at each change, so the last one of a token is how it
stands. The files are made anew from it when the service starts.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from blackstart.failpoint import reach
from blackstart.signal.model import Signal, dump, load
from blackstart.vault import files

NAME = "journal.jsonl"


class Journal:
    """Of one folder, written by one process. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME

    def write(self, signal: Signal, sync: bool = True) -> None:
        """On the disk when it returns. Half a line of a run that was killed stays a line of its own.

        Without `sync` a power cut may take it.
        """
        files.append(self.path, dump(signal), sync)
        self._show(signal)

    def read(self) -> dict[str, Signal]:
        """Token -> how it stands. A line that cannot be read is no signal's last word: one that was cut off."""
        try:
            with self.path.open(encoding="utf-8", errors="replace") as lines:
                return {signal.token: signal for signal in _readable(lines)}
        except FileNotFoundError:
            return {}

    def show_all(self, signals: Iterable[Signal]) -> None:
        """A service that was killed between the journal and the file has left an older file."""
        for signal in signals:
            path = self._file(signal)
            if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != dump(signal):
                self._show(signal)

    def thin(self, gone: Iterable[Signal], left: Iterable[Signal]) -> None:
        """Write the journal anew, as `left` stands, and take the files of `gone` away.

        Those go first: after a kill in between the journal has them still, and they are made again.
        """
        for signal in gone:
            self._file(signal).unlink(missing_ok=True)
        files.replace(self.path, "".join(map(dump, left)))

    def _file(self, signal: Signal) -> Path:
        return self.folder / f"{signal.token}.json"

    def _show(self, signal: Signal) -> None:
        """Whole at every moment. What is lost of it in a power cut, the journal has."""
        handle, fresh = tempfile.mkstemp(dir=self.folder, prefix=f".{signal.token}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(dump(signal))
            reach("signal.json.written")
            Path(fresh).replace(self._file(signal))
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise


def _readable(lines: Iterable[str]) -> Iterator[Signal]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield load(line)


def protected(folder: Path) -> set[str]:
    """Guids that no pruning may take: those of signals that are open. Raises OSError, ValueError.

    By the files, whole each: whoever prunes has no part in the journal. No folder: no service, so no signal.
    """
    found: set[str] = set()
    for path in sorted(folder.glob("[0-9a-f]*.json")):
        try:
            signal = load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue  # past its use: only such a file goes
        if signal.state in ("opening", "open"):
            found |= signal.guids()
    return found
