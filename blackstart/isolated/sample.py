"""Which files of a dataset are read, and what is held against them. Pure.

ZFS itself proves that what it reads is what was written into the pool; a drill adds two things that can be known
without asking the node: that these files can be read to their end, and that a file which nobody has written to since
the last drill (size, mtime and ctime are the same) has the same content as then.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FILES = 60  # of each dataset
HEAD = 16 * 1024 * 1024  # bytes of one file that are read: of a larger one its beginning


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as it was read. `mtime`, `ctime`: nanoseconds. `read`: bytes that `sha256` stands for."""

    size: int
    mtime: int
    ctime: int
    read: int
    sha256: str

    def untouched(self, other: Seen) -> bool:
        """Nobody has written to it in between, as far as the file system tells."""
        return (self.size, self.mtime, self.ctime, self.read) == (other.size, other.mtime, other.ctime, other.read)


def again(before: Iterable[str], seed: int) -> list[str]:
    """Half of what is read was read by the last drill, too: without these nothing could be compared."""
    paths = sorted(before)
    return sorted(random.Random(seed).sample(paths, min(len(paths), FILES // 2)))


class Reservoir:
    """A fair choice of `count` out of however many paths come by, the same for the same seed and order."""

    def __init__(self, seed: int, count: int) -> None:
        self._random, self._count, self._seen = random.Random(seed), count, 0
        self._chosen: list[str] = []

    def add(self, path: str) -> None:
        self._seen += 1
        if len(self._chosen) < self._count:
            self._chosen.append(path)
        elif (at := self._random.randrange(self._seen)) < self._count:
            self._chosen[at] = path

    def chosen(self) -> list[str]:
        return sorted(self._chosen)


def compare(before: Mapping[str, Seen], now: Mapping[str, Seen]) -> tuple[int, list[str]]:
    """How many files could be compared, and those whose content is another although nobody wrote to them."""
    same = [path for path, seen in now.items() if path in before and seen.untouched(before[path])]
    return len(same), sorted(path for path in same if now[path].sha256 != before[path].sha256)


def remembered(before: Mapping[str, Seen], now: Mapping[str, Seen]) -> dict[str, Seen]:
    """What the next drill compares with: what was read now, and of what was not the newest that was known, bounded."""
    kept = dict(sorted(before.items())[: 4 * FILES])
    kept.update(now)
    return kept
