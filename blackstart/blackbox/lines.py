"""Logs that are only ever added to (.jsonl), read from their end: the newest line first, whatever the file's size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blackstart import strict

BLOCK = 64 * 1024
LONGEST = 8 * 1024 * 1024  # bytes of one line; what is longer is no line of ours


def newest_first(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a log. A torn or foreign line is passed over; no file is an empty log. Raises OSError."""
    return (data for data in newest_first_or_none(path) if data is not None)


def newest_first_or_none(path: Path) -> Iterator[dict[str, Any] | None]:
    """The same with None in place of each line that is none of ours, so that somebody can say how many there are.

    Not of an empty one, and not of a last one without its end: that is being written. Raises OSError.

    A symbolic link in place of the file is refused: who reads may be root, and who owns the folder is not.
    """
    for line in _lines(path):
        if line.strip():
            yield _object(line)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        data = strict.loads(line)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _lines(path: Path) -> Iterator[bytes]:
    """A last line without its end is torn: a writer was killed, or is still writing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "rb") as file:
        at = file.seek(0, os.SEEK_END)
        rest: bytes | None = None  # begins in a block that is still to be read; None: all of it so far is torn
        while at > 0:
            size = min(BLOCK, at)
            at -= size
            file.seek(at)
            block = file.read(size)
            if rest is None:
                whole, found, _ = block.rpartition(b"\n")
                if not found:
                    continue
                block, rest = whole, b""
            first, *lines = (block + rest).split(b"\n")
            yield from reversed(lines)
            rest = first if len(first) <= LONGEST else b"?"  # which is no JSON, whatever stands before it
        if rest:
            yield rest
