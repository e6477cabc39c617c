"""Rounds one after another on one warm guest, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable

from blackstart.torture.guest.machine import Guest
from blackstart.torture.guest.round import fits, play
from blackstart.torture.page import Tally, reason
from blackstart.torture.round import Round
from blackstart.torture.text import GUEST


def rounds(guest: Guest, first: int, count: int, tell: Callable[[Round, float], None]) -> Tally:
    """`count` rounds, from seed `first` on; seeds that a guest cannot play are passed over, and counted.

    `tell` gets each round when it has ended, and how long it took in seconds.
    """
    tally = Tally(first, 0, title="Losses on real ZFS", form=GUEST)
    begun, seed = time.monotonic(), first
    while tally.states < count:
        why = fits(seed)
        if why:
            tally.left_out[why] += 1
        else:
            started = time.monotonic()
            played = play(guest, seed)
            _count(tally, played)
            tally.done.append((tally.states, time.monotonic() - begun))
            tell(played, time.monotonic() - started)
        seed += 1
    return tally


def _count(tally: Tally, played: Round) -> None:
    tally.states += 1
    if played.runs:
        run = played.runs[0]
        tally.verdicts[f"{run.verdict.kind}{', refused' if run.refusal else ''}"] += 1
        if run.refusal:
            tally.refusals[reason(run.refusal)] += 1
    if played.wrong:
        tally.wrong.append(played)
