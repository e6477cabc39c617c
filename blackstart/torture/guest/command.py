"""What `blackstart lab torture` does: rounds on real ZFS, in a machine of its own that is removed at the end."""

from __future__ import annotations

from pathlib import Path

import click

from blackstart.lab import Lab, LabError
from blackstart.torture.guest.machine import Guest
from blackstart.torture.guest.many import rounds
from blackstart.torture.page import written
from blackstart.torture.round import Round
from blackstart.torture.text import GUEST, failures


def torture(lab: Lab, seed: int, count: int) -> bool:
    """Whether everything held, over `count` rounds from `seed` on. Raises LabError."""
    if lab.names():
        raise LabError(
            f"{lab.root} has a machine: another run goes on, or was killed; "
            f"to remove it: blackstart lab --dir {lab.root} down"
        )
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
    return not tally.wrong


def _tell(played: Round, seconds: float) -> None:
    first = played.runs[0] if played.runs else None
    what = f"{first.verdict.kind}{', refused' if first.refusal else ''}" if first else "not begun"
    click.echo(f"seed {played.seed}: {what}, {played.wrong or 'held'} ({seconds:.0f} s)", err=True)
