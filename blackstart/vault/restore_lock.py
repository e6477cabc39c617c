"""One worker per node: a lock on the vault, released by the kernel when its holder dies, that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blackstart.vault.lock import describe

NAME = "lock"


class Busy(Exception):
    """Somebody else works on this node; the text says who and since when."""


@contextmanager
def held(folder: Path, who: str, what: str) -> Iterator[None]:
    """Hold the lock of the node whose folder this is. Raises Busy, OSError."""
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        with _nobody_writes(folder):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(f"somebody else works on this node: {describe(file.read())}") from error
            file.seek(0)
            file.truncate()
            document = {"format": 1, "who": who, "since": int(time.time()), "what": what, "pid": os.getpid()}
            file.write(json.dumps(document) + "\n")
            file.flush()
        yield


@contextmanager
def _nobody_writes(folder: Path) -> Iterator[None]:
    """A write of the last holder's that has just proven that it holds the lock (lock.py) is waited for."""
    gate = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)
