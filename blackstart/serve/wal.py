"""The log that a heartbeat is on before its answer goes out: many appends, one fsync.

A line is its CRC-32 in hex, a space, and one JSON document. What a kill or a full disk left of a line does not count,
and never hides the lines around it. It holds the last heartbeat of every node; once it has grown it is written anew
with those alone, beside the old one, and takes its place.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from blackstart.vault.files import sync_folder

GROWN = 16 * 1024 * 1024  # bytes


def line(document: bytes) -> bytes:
    """`document`: JSON without a line break."""
    return b"%08x %b\n" % (zlib.crc32(document), document)


def documents(data: bytes) -> Iterator[bytes]:
    """The documents of whole lines, oldest first."""
    for each in data.split(b"\n"):
        check, _, document = each.partition(b" ")
        if document and check == b"%08x" % zlib.crc32(document):
            yield document


class Log:
    """The log at `path`, one writer. Every method raises OSError; what `append` did not take is not in the log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self.size = 0

    def read(self) -> list[bytes]:
        """What is in it; empty where there is none yet."""
        try:
            return list(documents(self._path.read_bytes()))
        except FileNotFoundError:
            return []

    def append(self, found: Iterable[bytes]) -> None:
        """Durable when this returns."""
        if self._file < 0:
            self._open()
        data = b"".join(map(line, found))
        try:
            _write(self._file, data)
            os.fsync(self._file)
        except OSError:
            self._undo()
            raise
        self.size += len(data)

    def _open(self) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self.size = os.fstat(file).st_size
            _write(file, b"\n")  # ends what a kill may have left of a line
            sync_folder(self._path.parent)
        except OSError:
            os.close(file)
            raise
        self._file = file
        self.size += 1

    def _undo(self) -> None:
        """The next append opens anew, and ends what is left of a line where it cannot be cut off now."""
        try:
            os.ftruncate(self._file, self.size)
        except OSError:
            pass
        finally:
            self.close()

    def rewrite(self, found: Iterable[bytes]) -> None:
        """These documents alone, in place of all that is there: whole before, whole after, whenever it is killed."""
        fresh = self._path.with_name(f".{self._path.name}.fresh")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            _write(file, b"".join(map(line, found)))
            os.fsync(file)
        finally:
            os.close(file)
        fresh.replace(self._path)
        self.close()  # what is open has no name any more; the next append opens the new one, and syncs the folder
        sync_folder(self._path.parent)

    def close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)


def _write(file: int, data: bytes) -> None:
    """All of it: a full disk takes a part first."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
