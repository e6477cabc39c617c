"""A `newc` cpio archive from a mapping: the kernel's initramfs format, and several may follow one another."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Entry:
    """A file (its content and mode)."""

    data: bytes
    mode: int = 0o644


def archive(files: Mapping[str, Entry]) -> bytes:
    """Pack `files` (path without leading slash -> entry), with the folders they need."""
    parts: list[bytes] = []
    for number, path in enumerate(_folders(files), start=1):
        parts.append(_record(path, b"", stat.S_IFDIR | (0o700 if path.endswith(".ssh") else 0o755), number))
    for number, (path, entry) in enumerate(sorted(files.items()), start=100_000):
        parts.append(_record(path, entry.data, stat.S_IFREG | entry.mode, number))
    parts.append(_record("TRAILER!!!", b"", 0, 0))
    return _padded(b"".join(parts), 512)


def _folders(files: Mapping[str, Entry]) -> Iterator[str]:
    found = {str(parent) for path in files for parent in PurePosixPath(path).parents} - {"."}
    yield from sorted(found)  # a parent sorts before what is in it


def _record(path: str, data: bytes, mode: int, inode: int) -> bytes:
    name = path.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + name, 4) + _padded(data, 4)


def _padded(data: bytes, to: int) -> bytes:
    return data + b"\0" * (-len(data) % to)
