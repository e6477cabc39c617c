"""`blackstart drill-lab`: what `make drill` runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from blackstart.drill.journal import DrillError, Journal
from blackstart.drill.machines import M, Machines
from blackstart.drill.page import page
from blackstart.drill.scenario import MEGABYTES, Drill
from blackstart.lab import Lab, LabError


@click.command("drill-lab")
@click.option("--megabytes", default=MEGABYTES, show_default=True, help="Random data beside the service's own.")
@click.option("--keep", is_flag=True, help="Leave the machines running afterwards.")
def drill_lab(megabytes: int, keep: bool) -> None:
    """Provision two lab machines, lose one with its disks, rebuild it, prove the outcome.

    Changes nothing but the lab in .lab, which it makes anew and takes down, and .drill, where its logs, result.json and
    the page report.html are.

    Exit code 0: every step came out as it must. 1: one did not; which one, and where its log is, is said.
    """
    root = Path.cwd()
    play(root, Lab(root / ".lab"), megabytes, keep)


def play(root: Path, lab: Machines[M], megabytes: int, keep: bool = False) -> None:
    """The drill of the project in `root`, on these machines. Raises ClickException at the first step that does not
    hold."""
    folder = root / ".drill"
    shutil.rmtree(folder, ignore_errors=True)
    journal = Journal(folder)
    lab.down()
    try:
        Drill(root, lab, journal, megabytes).run()
    except (DrillError, LabError, OSError, subprocess.TimeoutExpired) as error:
        journal.console.print(journal.table())
        _report(journal, str(error))
        raise click.ClickException(str(error)) from error
    finally:
        if not keep:
            lab.down()
    journal.console.print(journal.table())
    _report(journal)
    facts = journal.facts
    journal.console.print(
        f"RPO {facts['rpo_seconds']} s   RTO {facts['rto_seconds']} s (loss to the service answering)"
    )


def _report(journal: Journal, why: str = "") -> None:
    path = journal.folder / "report.html"
    path.write_text(page(journal, why), encoding="utf-8")
    journal.console.print(f"its page: {path}")
