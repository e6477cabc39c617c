"""Take away a vault's tools and libraries that nothing needs any more: `python3 -m blackstart.vault.clear`, as root.

The current tool stays, the one before it, and whatever a process was started from; with each its libraries. Run when
the link was just switched (bundle.py). What could not be looked at stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from blackstart.vault import layout
from blackstart.vault.python import short

CURRENT, PREVIOUS = "current", "previous"
_TOOL = re.compile(r"[0-9a-f]{12}")
_LAYER = re.compile(r"([0-9a-f]{12})(-cp3\d+-[a-z0-9_]+)?")


def superfluous(root: Path, used: Collection[str]) -> list[Path]:
    """Tools and libraries below `root` that may go. `used`: what `in_use` found. Raises OSError."""
    if CURRENT in used or not (root / CURRENT).is_symlink():
        return []  # through the link, it may be any of them
    stay = {(root / link).readlink().name for link in (CURRENT, PREVIOUS) if (root / link).is_symlink()} | {*used}
    tools = [path for path in sorted(root.iterdir()) if _TOOL.fullmatch(path.name) and not path.is_symlink()]
    layers = {short((path / "requirements.lock").read_bytes()) for path in tools if path.name in stay}
    layers |= {name.partition("/")[2] for name in used}
    folder = root / Path(layout.LIBRARIES).name
    found = sorted(folder.iterdir()) if folder.exists() else []
    return [path for path in tools if path.name not in stay] + [
        path for path in found if (match := _LAYER.fullmatch(path.name)) and match[1] not in layers
    ]


def in_use(root: Path, processes: Path = Path("/proc")) -> set[str]:
    """What processes other than this one run from: versions, `libraries/LOCK`, or CURRENT. Raises OSError."""
    name = re.compile(re.escape(os.fsencode(root)) + rb"/(current|(?:libraries/)?[0-9a-f]{12})(?![0-9a-f])")
    found: set[str] = set()
    for process in processes.glob("[0-9]*"):
        if process.name != str(os.getpid()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                said = (process / "environ").read_bytes() + (process / "maps").read_bytes()
                said += os.fsencode((process / "cwd").readlink())
                found |= {match.decode() for match in name.findall(said)}
    return found


def remove(path: Path) -> None:
    """Out of its place in one step: half of a tool under its name would be taken for the whole. Raises OSError."""
    if path.is_symlink():
        path.unlink()
        return
    aside = path.with_name(f".new-cleared-{path.name}")
    if aside.exists():
        shutil.rmtree(aside)
    path.rename(aside)
    shutil.rmtree(aside)


def main(root: Path = Path(layout.TOOL), processes: Path = Path("/proc")) -> int:
    """Never an error of the run that brought a new tool: what stays goes another time."""
    try:
        for path in superfluous(root, in_use(root, processes)):
            remove(path)
            print(f"removed {path}")
    except OSError as error:
        print(f"{root}: old tools were not cleared: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
