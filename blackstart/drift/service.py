"""Does the service of a vault run? Without it no heartbeat and no signal is taken. Pure.

The deploy starts it behind all that it runs from, so its unit's state is no wish like those of other units.
"""

from __future__ import annotations

from blackstart.change import shell
from blackstart.converge.serve import UNIT
from blackstart.converge.wanted import Wanted
from blackstart.drift.finding import Finding
from blackstart.live.model import Live
from blackstart.reading import Present


def service(node: str, wanted: Wanted, live: Live) -> list[Finding]:
    """A finding when it is down, or fails whenever systemd starts it. What is not there at all is told of its unit."""
    if UNIT not in wanted.units or not isinstance(live.units, Present):
        return []
    found = live.units.value.get(UNIT)
    if found is None or found.load != "loaded":
        return []
    failing = found.sub == "auto-restart"
    if found.active in ("active", "activating", "reloading") and not failing:
        return []
    remedy = f"journalctl -u {UNIT} on {node}" if failing else shell("blackstart", "apply", node)
    said = "fails again and again" if failing else found.active
    return [Finding("drift", node, "unit", UNIT, "active", "active", said, remedy=remedy)]
