"""Whether a node still says that it lives, by the clock of whoever listens. A silent node is never guessed to be dead.

Plain Python: the vault's service, its programs and the page ask the same function.
"""

from __future__ import annotations

from typing import Literal

Heard = Literal["fresh", "late", "silent", "unknown"]

# A vault's own clock may be set back a little; what was received later than this from now on is no measure.
AHEAD = 120


def heard(received: float | None, now: float, period: float, grace: float) -> Heard:
    """How a node stands whose last heartbeat came at `received` (None: none ever did). All of it in seconds.

    `fresh` within period + grace, then `late`, after three times that `silent`. `unknown`: never heard, or heard in
    what is the future by now: the vault's clock was set back, and nothing can be said until the next heartbeat.
    """
    if received is None or received - now > AHEAD:
        return "unknown"
    limit = period + grace
    age = now - received
    if age <= limit:
        return "fresh"
    return "late" if age <= 3 * limit else "silent"
