"""What ran on a node when somebody said that they will break it: a file beside the node's live state.

It is kept as long as the node's own snapshots of signals are: so many days after its signal is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from blackstart.signal.config import Grant
from blackstart.signal.model import Signal
from blackstart.vault import files

DAY = 86400  # seconds
_NAME = re.compile(r"signal-([0-9a-f]{16})\.reading")

Known = Callable[[str], Signal | None]


class Captures:
    """Those below `live`. `nodes`: how long each one's are kept; one that the fleet has let go of goes by the others.

    Its methods raise OSError.
    """

    def __init__(self, live: Path, nodes: Mapping[str, Grant]) -> None:
        self._live = live
        self._days = {name: grant.days for name, grant in nodes.items()}

    async def keep(self, node: str, token: str, said: bytes) -> str:
        """The node's whole reading, as its script printed it: `blackstart drift --from` reads it. Its path."""
        path = self._live / node / "now" / f"signal-{token}.reading"
        await asyncio.to_thread(files.replace, path, said.decode(errors="backslashreplace"), 0o644)
        return str(path)

    async def sweep(self, known: Known, now: int) -> None:
        """Remove what is past its time. `known`: token -> how its signal stands."""
        await asyncio.to_thread(self._sweep, known, now)

    def _sweep(self, known: Known, now: int) -> None:
        if not self._days:
            return  # of no node is it known how long
        longest = max(self._days.values())
        for token, node, path in self._all():
            with contextlib.suppress(FileNotFoundError):
                if kept_until(known(token), self._days.get(node, longest), path.stat().st_mtime) <= now:
                    path.unlink()

    def _all(self) -> Iterator[tuple[str, str, Path]]:
        for path in sorted(self._live.glob("*/now/signal-*.reading")):
            match = _NAME.fullmatch(path.name)
            if match:
                yield match[1], path.parent.parent.name, path


def kept_until(signal: Signal | None, days: int, written: float) -> float:
    """Seconds since 1970. One whose signal nobody knows, after a restore of the vault, goes by when it was written."""
    if signal is None:
        return written + days * DAY
    if signal.state == "failed":
        return 0
    return signal.closed + days * DAY if signal.closed else math.inf
