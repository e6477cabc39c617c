"""One of a kind: programs of a vault that must not run twice at once. The kernel lets go when one dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Another one is running."""


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Raises Busy at once when somebody else has it, OSError when it cannot be had at all."""
    # Opened for reading: it can be had whoever made the file, root by hand or a user of a lost system.
    handle = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error
        yield
    finally:
        os.close(handle)
