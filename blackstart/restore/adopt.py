"""What was given for a rebuild becomes the spec: replaced disk ids in the node's file, committed where there is git."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from blackstart.ssh import write_whole


def exchanged(text: str, disks: Mapping[str, str]) -> str:
    """The file's text with each quoted id exchanged, all at once (A=B,B=A works); comments and layout stay."""
    parts: list[str] = []
    rest = text
    while rest:
        found = [(rest.find(f'"{old}"'), old) for old in disks if f'"{old}"' in rest]
        if not found:
            break
        at, old = min(found)
        parts += [rest[:at], f'"{disks[old]}"']
        rest = rest[at + len(old) + 2 :]
    return "".join(parts) + rest


def adopt(folder: Path, node: str, disks: Mapping[str, str]) -> list[str]:
    """Write the replacements into nodes/<node>.toml and commit that file alone; lines that say what was done.

    Never raises: the node is back, and a person can write two words by hand.
    """
    path = folder / "nodes" / f"{node}.toml"
    said = ", ".join(f"{old} is now {new}" for old, new in disks.items())
    try:
        before = path.read_text(encoding="utf-8")
        after = exchanged(before, disks)
        if after == before:
            return []
        write_whole(path, after)
    except OSError as error:
        return [f"{path} could not be written ({error.strerror}); write it by hand: {said}"]
    if _git(folder, "ls-files", "--error-unmatch", str(path)) != 0:
        return [f"{path}: {said}"]
    message = f"Name the disks that {node} was rebuilt on\n\n{said}."
    if _git(folder, "commit", "-q", "-m", message, "--only", "--", str(path)) != 0:
        return [f"{path}: {said}; not committed, do that by hand"]
    return [f"{path}: {said}; committed"]


def _git(folder: Path, *words: str) -> int:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 1
    return done.returncode
