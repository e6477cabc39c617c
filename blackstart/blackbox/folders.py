"""A vault's folder of live state, or a snapshot of it, read by somebody who may be root: no link is followed in it.

`now` folders belong to the service, which the network reaches: a link in one could lead anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blackstart import strict

LARGEST = 64 * 1024 * 1024  # bytes of one file
NODE = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
_OWN = ("now",)  # the fleet's, no node
_SIGNS = {"now", "record.json", "journal.jsonl", "drift"}  # of which a node's folder has one


def nodes(live: Path) -> list[str]:
    """Those that have a folder. Raises OSError where this is no vault's folder of live state."""
    with _opened(live) as handle:
        named = [name for name, is_folder in _inside(handle) if is_folder and NODE.fullmatch(name) and name not in _OWN]
    found = [name for name in named if _is_node(live, name)]
    if not found:
        raise FileNotFoundError(
            2, "no node has a folder there; is this what a vault has at /srv/blackstart/live?", live
        )
    return found


def _is_node(live: Path, name: str) -> bool:
    """One that nobody may look into is told of as such later on."""
    try:
        return any(each in _SIGNS for each, _ in listed(live, name))
    except PermissionError:
        return True


def document(live: Path, *way: str) -> dict[str, Any] | None:
    """The JSON object in the file `way` below `live`; None: there is no such file. Raises OSError, ValueError."""
    try:
        with _below(live, way) as handle:
            if os.fstat(handle).st_size > LARGEST:
                raise ValueError("it is too large")
            with os.fdopen(os.dup(handle), "rb") as file:
                data = strict.loads(file.read(LARGEST))
    except FileNotFoundError:
        return None
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")
    return data


def listed(live: Path, *way: str) -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of what lies in a folder, hidden files left out; none where there is none.

    Raises OSError.
    """
    try:
        with _below(live, way) as handle:
            return _inside(handle)
    except FileNotFoundError:
        return []


def _inside(handle: int) -> list[tuple[str, bool]]:
    with os.scandir(handle) as found:
        return sorted((each.name, each.is_dir(follow_symlinks=False)) for each in found if each.name[0] != ".")


@contextmanager
def _opened(live: Path) -> Iterator[int]:
    """`live` itself may be a link: whoever asks has named it."""
    handle = os.open(live, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _below(live: Path, way: tuple[str, ...]) -> Iterator[int]:
    with _opened(live) as handle:
        for name in way:
            # NONBLOCK: a pipe in place of a file is not waited for.
            inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
            os.dup2(inner, handle, inheritable=False)
            os.close(inner)
        yield handle
