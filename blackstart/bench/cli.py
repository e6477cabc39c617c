"""`blackstart bench`: what `make bench` runs, on lab machines of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from blackstart.bench import (
    connection,
    container,
    drift,
    drift_host,
    ingest,
    live_folders,
    loss,
    node,
    signal,
    signal_here,
    stream,
)
from blackstart.bench.row import Row
from blackstart.drill.journal import Journal
from blackstart.drill.scenario import Drill
from blackstart.lab import Lab, Machine


def table(rows: list[Row]) -> Table:
    """For people; the JSON has the same."""
    made = Table("what", "against", title="bench: medians within one run")
    for column in ("ours", "peer", "ratio", "goal"):
        made.add_column(column, justify="right")
    for row in rows:
        goal = "" if row.goal is None else f"<= {row.goal}"
        made.add_row(row.what, row.peer, f"{row.ours:.3f}", f"{row.theirs:.3f}", f"{row.ratio:.2f}", goal)
    return made


@click.command()
def bench() -> None:
    """Measure against the peers at their best, on two lab machines provisioned for it; table and .bench/result.json.

    What takes no machine comes first.
    """
    root = Path.cwd()
    journal = Journal(root / ".bench")
    lab = Lab(root / ".lab-bench")
    lab.down()
    drill = Drill(root, lab, journal, megabytes=12)
    rows: list[Row] = []

    def keep(found: Iterator[Row]) -> None:
        for row in found:
            click.echo(f"{row.what} against {row.peer}: {row.ratio:.2f}")
            rows.append(row)
            # A row that fails later takes none of these away.
            journal.facts["rows"] = [each.as_data() for each in rows]
            journal.save()

    try:
        keep(drift.rows(root / "inventory", journal.folder))
        keep(ingest.rows(journal.folder))
        keep(signal_here.rows(root / "inventory", journal.folder))
        drill.boot()
        drill.provision()
        keep(_rows(drill))
    finally:
        lab.down()
    Console(highlight=False).print(table(rows))
    click.echo(f"the same as JSON: {journal.folder / 'result.json'}")


def _rows(drill: Drill[Machine]) -> Iterator[Row]:
    """In an order that leaves each of them what it needs: the last one loses the node."""
    yield connection.command(drill.operator, drill.node)
    yield from connection.reading(drill.operator, drill.node)
    yield from drift_host.host(drill.operator, drill.node, drill.journal.folder / "ansible")
    yield from node.heartbeat(drill.node)
    yield node.idle(drill.operator, drill.node)
    yield container.from_image(drill.operator, drill.node)
    yield signal.may_break(drill.operator, drill.node, drill.vault)
    yield from live_folders.rows(drill.vault)
    yield stream.stream(drill.operator, drill.node, drill.vault)
    yield loss.loss_to_service(drill)
