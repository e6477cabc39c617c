"""`python -m blackstart.torture`: many seeds, or one that is shown."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from blackstart.torture.page import Tally, reason, written
from blackstart.torture.round import Round, play
from blackstart.torture.text import as_text, failures

CHUNK = 500


@click.command()
@click.option("--seed", type=int, help="Only this one, and all of it is shown.")
@click.option("--first", type=int, default=0, show_default=True, help="The first of many seeds.")
@click.option("--states", type=int, default=100_000, show_default=True, help="How many seeds, one state each.")
@click.option("--jobs", type=int, default=os.cpu_count() or 1, show_default=True, help="Processes side by side.")
def torture(seed: int | None, first: int, states: int, jobs: int) -> None:
    """Judge and rebuild simulated nodes after random losses; nothing is touched but .torture, where the page is.

    Exit code 0: everything held. 1: something did not, with the line that shows it again.
    """
    if seed is not None:
        played = play(seed)
        click.echo(as_text(played))
        sys.exit(1 if played.wrong else 0)
    begun, tally = time.monotonic(), Tally(first, states)
    starts = range(first, first + states, CHUNK)
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for number, (kinds, refused, bad) in enumerate(pool.map(_chunk, starts, [first + states] * len(starts)), 1):
            tally.verdicts += kinds
            tally.refusals += refused
            tally.wrong += bad
            tally.done.append((min(number * CHUNK, states), time.monotonic() - begun))
            if number % 20 == 0:
                click.echo(f"{tally.done[-1][0]} of {states} states, {len(tally.wrong)} wrong", err=True)
    for kind, count in tally.verdicts.most_common():
        click.echo(f"{count:>8}  {kind}")
    click.echo(f"{states} states in {tally.seconds:.0f} s, {len(tally.wrong)} wrong")
    click.echo(f"its page: {written(tally, Path('.torture'))}")
    if tally.wrong:
        click.echo(f"\n{failures(tally.wrong)}")
        sys.exit(1)


def _chunk(start: int, end: int) -> tuple[Counter[str], Counter[str], list[Round]]:
    """Some seeds: how often each verdict was given, refused or not; why; and the rounds that went wrong."""
    rounds = [play(seed) for seed in range(start, min(start + CHUNK, end))]
    refusals = Counter(reason(each.runs[0].refusal) for each in rounds if each.runs and each.runs[0].refusal)
    return Counter(each.first for each in rounds if each.runs), refusals, [each for each in rounds if each.wrong]


if __name__ == "__main__":
    torture()
