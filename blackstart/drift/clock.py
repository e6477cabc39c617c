"""A node's clock against the reader's: certificates, heartbeats and ages of snapshots all go by it. Pure."""

from __future__ import annotations

from blackstart.drift.finding import Finding
from blackstart.live.model import Live
from blackstart.reading import Present

TOLERANCE = 300  # seconds; a slow host may take its time over a reading
_STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def clock(node: str, live: Live, at: int | None) -> list[Finding]:
    """A finding when the clock is off. `at`: when the reading came, by the reader's own clock; None: not known."""
    if at is None or not isinstance(live.host, Present):
        return []
    off = live.host.value.clock - at
    if abs(off) <= TOLERANCE:
        return []
    # A few seconds less than an hour are an hour, or it would be another finding at each look.
    size, unit = next((size, unit) for size, unit in _STEPS if abs(off) >= 0.9 * size)
    count = round(abs(off) / size)
    # Rounded, so that it is the same finding at the next look.
    shown = f"about {count} {unit}{'s' * (count > 1)} {'ahead' if off > 0 else 'behind'}"
    remedy = f"set the clock of {node}, and see why nothing keeps it right (timedatectl)"
    return [Finding("drift", node, "clock", node, "", "as the reader's", shown, remedy=remedy)]
