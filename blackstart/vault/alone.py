"""One of a kind: programs of a vault that must not run twice at once. The kernel lets go when one dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Another one is running."""


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Raises Busy at once when somebody else has it, OSError when it cannot be had at all."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error
        yield
