"""What `blackstart lab torture` does: rounds on real ZFS, in machines of its own that are removed at the end."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import click

from blackstart.drill.journal import DrillError, Journal
from blackstart.drill.scenario import Drill
from blackstart.drill.stage import Stage
from blackstart.lab import Lab, LabError
from blackstart.torture.guest import round as on_guest
from blackstart.torture.guest.machine import Guest
from blackstart.torture.guest.many import rounds
from blackstart.torture.page import written
from blackstart.torture.round import Round
from blackstart.torture.text import GUEST, failures
from blackstart.torture.whole import round as on_machines

FOLDER = Path(".torture/guest")
MEGABYTES = 12  # of data in a round on whole machines


def torture(lab: Lab, seed: int, count: int) -> bool:
    """Whether everything held, over `count` rounds from `seed` on. Raises LabError."""
    others = Lab(lab.root.with_name(f"{lab.root.name}-whole"))
    for each in (lab, others):
        if each.names():
            raise LabError(
                f"{each.root} has a machine: another run goes on, or was killed; "
                f"to remove it: blackstart lab --dir {each.root} down"
            )

    @cache
    def guest() -> Guest:
        made = Guest(lab)
        made.ready()
        return made

    @cache
    def stage() -> Stage:
        folder = FOLDER / "whole"
        shutil.rmtree(folder, ignore_errors=True)
        made = Stage(Drill(Path.cwd(), others, Journal(folder), MEGABYTES), folder.resolve() / "kept")
        try:
            made.make()
        except DrillError as error:
            raise LabError(f"the machines were not made ready: {error}") from error
        return made

    try:
        tally = rounds(
            lambda seed: on_guest.play(guest(), seed),
            lambda seed: on_machines.play(stage(), seed),
            seed,
            count,
            _tell,
        )
    finally:
        lab.down()
        others.down()
    click.echo(f"{tally.states} rounds in {tally.seconds:.0f} s, {len(tally.wrong)} wrong")
    click.echo(f"its page: {written(tally, FOLDER)}")
    if tally.wrong:
        click.echo(f"\n{failures(tally.wrong, GUEST)}")
    return not tally.wrong


def _tell(played: Round, seconds: float) -> None:
    click.echo(f"seed {played.seed}: {played.first}, {played.wrong or 'held'} ({seconds:.0f} s)", err=True)
