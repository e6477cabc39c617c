"""Reads files of a clone, as root, whatever the node put there: no link is followed, nothing but files is opened."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from blackstart.isolated.sample import FILES, HEAD, Reservoir, Seen

ENTRIES = 500_000  # of one dataset, among which files are chosen
_BLOCK = 1024 * 1024


def read(root: str, seed: int, again: Iterable[str]) -> tuple[dict[str, Seen], list[str]]:
    """Files of the tree at `root`: those of `again` that are still there, and as many more as make FILES.

    Also one sentence for each that could not be read.
    """
    found: dict[str, Seen] = {}
    errors: list[str] = []
    for path in again:
        _take(root, path, found, [])  # gone since, or no file any more: the node's own business
    reservoir = Reservoir(seed, max(0, FILES - len(found)))
    for path in walk(root, errors):
        if path not in found:
            reservoir.add(path)
    for path in reservoir.chosen():
        _take(root, path, found, errors)
    return found, errors


def walk(root: str, errors: list[str]) -> Iterator[str]:
    """Paths of regular files below `root`, in a stable order; of one that has very many, the first ENTRIES."""
    count = 0

    def failed(error: OSError) -> None:
        errors.append(f"{os.path.relpath(error.filename or root, root)}: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=failed, followlinks=False):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > ENTRIES:
                return
            path = f"{folder}/{name}"
            try:
                if stat.S_ISREG(os.lstat(path).st_mode):
                    yield os.path.relpath(path, root)
            except OSError as error:
                failed(error)


def _take(root: str, path: str, found: dict[str, Seen], errors: list[str]) -> None:
    try:
        with _opened(root, path) as handle:
            found[path] = _digest(handle)
    except (OSError, ValueError) as error:
        errors.append(f"{path}: {getattr(error, 'strerror', None) or error}")


@contextmanager
def _opened(root: str, path: str) -> Iterator[int]:
    """A file below `root`, reached without following a link anywhere on the way. Raises OSError, ValueError."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts):
        raise ValueError("no path of a file")
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = below
        # Without NONBLOCK, a pipe in a file's place would wait for ever.
        below = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
        os.close(handle)
        handle = below
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("no file")
        yield handle
    finally:
        os.close(handle)


def _digest(handle: int) -> Seen:
    about, digest, length = os.fstat(handle), hashlib.sha256(), 0
    while length < HEAD and (block := os.read(handle, min(_BLOCK, HEAD - length))):
        digest.update(block)
        length += len(block)
    if length < min(about.st_size, HEAD):
        raise ValueError(f"it ends after {length} of {about.st_size} bytes")
    return Seen(about.st_size, about.st_mtime_ns, about.st_ctime_ns, length, digest.hexdigest())
