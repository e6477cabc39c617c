"""lock.toml: the digests of images and releases, changed by the tool alone, one entry at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tomlkit

from blackstart.ssh import write_whole

_HEAD = """\
# Written by `blackstart image` and `blackstart project`; keep it in git, change nothing by hand.
format = 1
"""


def set_entry(fleet_folder: Path, table: str, name: str, values: dict[str, str | int]) -> bool:
    """Write `[table.name]`; everything else stays as it is. True when that changed the file."""
    path = fleet_folder / "lock.toml"
    with _alone(fleet_folder):
        before = path.read_text(encoding="utf-8") if path.exists() else _HEAD
        document = tomlkit.parse(before)
        if table not in document:
            document[table] = tomlkit.table(is_super_table=True)
        section = document[table]
        assert isinstance(section, dict)
        if name in section and dict(section[name]) == values:
            return False
        entry = tomlkit.table()
        for key, value in values.items():
            entry[key] = value
        section[name] = entry
        write_whole(path, tomlkit.dumps(document))
        path.chmod(0o644)
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two writers one after the other. The folder itself is locked: no lock file is left behind in a git tree."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
