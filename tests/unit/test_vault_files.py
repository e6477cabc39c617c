"""Files that are replaced whole, and what a killed writer leaves."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from blackstart.vault import files


def left(path: Path, age: float) -> Path:
    """What a writer leaves that is killed before its rename, `age` seconds ago."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    os.utime(name, (time.time() - age,) * 2)
    return Path(name)


def test_what_a_killed_writer_left_is_taken_away_once_nobody_can_be_at_it(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    old, young, others = left(path, 2 * files.ABANDONED), left(path, 60), left(tmp_path / "drift.json", 1e6)
    kept = tmp_path / ".record.json.orig"
    kept.touch()
    os.utime(kept, (0, 0))
    files.replace(path, "{}\n")
    assert not old.exists() and young.exists() and others.exists() and kept.exists()
    assert path.read_text() == "{}\n"
