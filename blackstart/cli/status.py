"""`blackstart status`: what each vault knows of the fleet at this moment. Changes nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from blackstart.change import shell
from blackstart.cli import fleet_hosts
from blackstart.cli.fleet_hosts import Hosts, not_empty, ssh_config_option
from blackstart.cli.here import on_a_vault
from blackstart.drift.text import printable
from blackstart.spec.problem import did_you_mean
from blackstart.status.__main__ import here
from blackstart.status.model import Status, document, load
from blackstart.status.table import shown
from blackstart.vault import layout

_HERE = "this vault"  # it has no other name on itself
EVERY = 5  # seconds between two looks of --watch
_PROGRAM = f"PYTHONPATH={shell(layout.TOOL + '/current')} python3 -m blackstart.status"

Answer = Status | str  # what a vault sees, or why that is not known
Ways = Mapping[str, Callable[[], Answer]]  # by vault


@click.command()
@click.option(
    "--vault",
    "only",
    metavar="NAME",
    callback=not_empty,
    help="Only what this vault sees; otherwise each vault of the fleet.",
)
@click.option("--watch", is_flag=True, help="Look again every 5 seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document per vault.")
@ssh_config_option
def status(only: str | None, watch: bool, as_json: bool, ssh_config: str | None) -> None:
    """Show how the fleet is: heartbeats, containers, replicas, open signals, clashes. Changes nothing.

    Each vault says what it was told and what it holds; on a vault, that vault alone. No node is asked: see drift.

    Exit code 0: all is well. 2: a node is late or silent, a container does not run, a replica is older than accepted,
    or there is a clash. 3: a vault could not be asked, or something could not be read.
    """
    if watch and as_json:
        raise click.UsageError("--watch and --json do not go together: ask again for the next document")
    ways = _ways(only, ssh_config)
    if watch:
        _watch(ways)
    else:
        sys.exit(_once(ways, as_json))


def _ways(only: str | None, ssh_config: str | None) -> Ways:
    """How to ask each vault. Raises ClickException."""
    if on_a_vault() and not only:
        return {_HERE: _own}
    known = fleet_hosts.load(ssh_config)
    vaults = [name for name, node in sorted(known.fleet.nodes.items()) if node.vault]
    if only and only not in vaults:
        raise click.ClickException(f"{only} is no vault; {did_you_mean(only, vaults, 'vault')}")
    if not vaults:
        raise click.ClickException("the fleet has no vault; give a node one: [vault] in nodes/NAME.toml")
    return {name: _way(known, name) for name in vaults if only in (None, name)}


def _way(known: Hosts, vault: str) -> Callable[[], Answer]:
    def ask() -> Answer:
        said, why = known.run(vault, _PROGRAM)
        try:
            return why or load(said)
        except ValueError as error:
            return str(error)

    return ask


def _own() -> Answer:
    try:
        return here().status(int(time.time()))
    except (OSError, ValueError) as error:
        return str(error)


def _ask(ways: Ways) -> dict[str, Answer]:
    """Every vault at the same time."""
    with ThreadPoolExecutor(len(ways)) as pool:
        return dict(zip(ways, pool.map(lambda ask: ask(), ways.values()), strict=True))


def _once(ways: Ways, as_json: bool) -> int:
    answers = _ask(ways)
    console = Console(highlight=False)
    for vault, answer in answers.items():
        if isinstance(answer, str):
            click.echo(_failed(vault, answer), err=True)
        elif as_json:
            click.echo(json.dumps(document(answer)))
        else:
            console.print(shown(answer))
    return max(3 if isinstance(each, str) else each.exit_code for each in answers.values())


def _watch(ways: Ways) -> None:
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while True:
            live.update(_all(_ask(ways), console.height), refresh=True)
            time.sleep(EVERY)


def _all(answers: Mapping[str, Answer], height: int) -> RenderableType:
    room = height // len(answers) - 1
    parts = (
        Text(_failed(vault, each), "magenta") if isinstance(each, str) else shown(each, room)
        for vault, each in answers.items()
    )
    return Group(*parts)


def _failed(vault: str, why: str) -> str:
    said = printable(f"{vault} could not be asked: {why}")
    return said if vault == _HERE else fleet_hosts.with_next(vault, said)
