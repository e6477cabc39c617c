"""Rounds one after another, most on one warm guest and some on whole machines, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable

from blackstart.torture.guest.round import fits
from blackstart.torture.page import Tally, reason
from blackstart.torture.round import Round
from blackstart.torture.text import GUEST

WHOLE = 10  # a seed that this divides is played on whole machines


def rounds(
    play: Callable[[int], Round],
    whole: Callable[[int], Round],
    first: int,
    count: int,
    tell: Callable[[Round, float], None],
) -> Tally:
    """`count` rounds, from seed `first` on; seeds that a guest cannot play are passed over, and counted.

    `play` and `whole` play a seed. `tell` gets each round when it has ended, and how long it took in seconds.
    """
    tally = Tally(first, 0, title="Losses on real ZFS", form=GUEST)
    begun, seed = time.monotonic(), first
    while tally.states < count:
        is_whole = seed % WHOLE == 0
        why = "" if is_whole else fits(seed)
        if why:
            tally.left_out[why] += 1
        else:
            started = time.monotonic()
            played = whole(seed) if is_whole else play(seed)
            _count(tally, played)
            tally.done.append((tally.states, time.monotonic() - begun))
            tell(played, time.monotonic() - started)
        seed += 1
    return tally


def _count(tally: Tally, played: Round) -> None:
    tally.states += 1
    tally.verdicts[played.first] += 1
    if played.runs and played.runs[0].refusal:
        tally.refusals[reason(played.runs[0].refusal)] += 1
    if played.wrong:
        tally.wrong.append(played)
