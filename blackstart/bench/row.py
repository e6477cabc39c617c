"""One measured comparison, and how samples of both sides are taken in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of `runs` samples a side, in `unit`. `goal`: the ratio ours may have at most; None: only reported."""

    what: str
    peer: str
    ours: float
    theirs: float
    runs: int
    unit: str = "s"
    goal: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("inf")

    def as_data(self) -> dict[str, Any]:
        """For result.json."""
        return asdict(self) | {"ratio": round(self.ratio, 3)}


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> tuple[float, float]:
    """Medians of both, sampled in turn after one sample each that does not count."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
