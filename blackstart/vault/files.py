"""Files that others read are replaced whole, and what was written survives a power cut."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import time
from pathlib import Path

from blackstart.failpoint import reach

ABANDONED = 86400  # seconds after which nobody writes into a temporary file any more
RANDOM = 8  # letters that tempfile puts behind a prefix


def replace(path: Path, content: str, mode: int = 0o664, group: int | None = None) -> None:
    """Put `content` at `path`: a reader sees the old file or the new one, never a part. Raises OSError.

    `group`: who gets it beside its owner; None leaves the writer's own.
    """
    _cleared(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            if group is not None:
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        reach(f"{path.name}.written")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    reach(f"{path.name}.replaced")
    sync_folder(path.parent)


def _cleared(path: Path) -> None:
    """What a writer left that was killed before its rename. Raises nothing: it only takes space."""
    with contextlib.suppress(OSError):
        for each in path.parent.glob(f".{glob.escape(path.name)}.{'?' * RANDOM}"):
            if time.time() - each.stat().st_mtime > ABANDONED:
                each.unlink()


def append(path: Path, line: str, sync: bool = True) -> None:
    """Add one line to a log and wait until it is on the disk. A torn last line of a killed run is closed first.

    Without `sync` it outlives this process, and a power cut only by chance.
    """
    with path.open("ab+") as file:
        torn = ""
        if file.tell() == 0:
            with contextlib.suppress(PermissionError):  # another user of the group made it just now
                os.fchmod(file.fileno(), 0o664)
        else:
            file.seek(-1, os.SEEK_END)
            torn = "" if file.read(1) == b"\n" else "\n"
        file.write((torn + line.rstrip("\n") + "\n").encode())
        file.flush()
        reach(f"{path.name}.appended")
        if sync:
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """A rename is durable only after its folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
