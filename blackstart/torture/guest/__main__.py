"""`python -m blackstart.torture.guest`: rounds on real ZFS, in a machine of its own that is removed at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blackstart.lab import Lab
from blackstart.torture.guest.machine import Guest
from blackstart.torture.guest.many import rounds
from blackstart.torture.page import written
from blackstart.torture.round import Round
from blackstart.torture.text import GUEST, failures


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first round's seed.")
@click.option("--rounds", "count", type=click.IntRange(min=1), default=20, show_default=True, help="One seed each.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(".lab/torture"), show_default=True)
def torture(seed: int, count: int, folder: Path) -> None:
    """Lose and rebuild on real ZFS; the page is in .torture/guest. Exit code 1: something did not hold."""
    lab = Lab(folder)
    try:
        guest = Guest(lab)
        guest.ready()
        tally = rounds(guest, seed, count, _tell)
    finally:
        lab.down()
    click.echo(f"{tally.states} rounds in {tally.seconds:.0f} s, {len(tally.wrong)} wrong")
    click.echo(f"its page: {written(tally, Path('.torture/guest'))}")
    if tally.wrong:
        click.echo(f"\n{failures(tally.wrong, GUEST)}")
        sys.exit(1)


def _tell(played: Round, seconds: float) -> None:
    first = played.runs[0] if played.runs else None
    what = f"{first.verdict.kind}{', refused' if first.refusal else ''}" if first else "not begun"
    click.echo(f"seed {played.seed}: {what}, {played.wrong or 'held'} ({seconds:.0f} s)", err=True)


if __name__ == "__main__":
    torture()
