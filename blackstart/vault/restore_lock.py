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
    path = folder / NAME
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
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
