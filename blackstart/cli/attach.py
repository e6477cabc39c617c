"""`blackstart attach NODE`: follow a restore that a vault is working on, whoever began it."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import click

from blackstart.cli.fleet_hosts import Hosts, hosts, ssh_config_option, with_next
from blackstart.restore import unit
from blackstart.restore.keeper import keepers


@click.command()
@click.argument("node")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, and no following.")
@ssh_config_option
def attach(node: str, as_json: bool, ssh_config: str | None) -> None:
    """Show how the restore of NODE goes, until it ends. Changes nothing, and neither does going away.

    Exit code 0: all is back. 1: something is not. 3: no vault could be asked.
    """
    known, spec = hosts(node, ssh_config)
    vaults = list(keepers(spec))
    with ThreadPoolExecutor() as pool:
        found = dict(zip(vaults, pool.map(lambda vault: look(known, vault, node), vaults), strict=True))
    answers = {vault: each for vault, each in found.items() if isinstance(each, unit.Look)}
    if not answers:
        for vault, why in found.items():
            click.echo(with_next(vault, f"{vault}: {why}"), err=True)
        sys.exit(3)
    vault, last = max(answers.items(), key=lambda each: (each[1].active, each[1].document.get("at", 0)))
    if as_json:
        restore = last.document or None
        click.echo(json.dumps({"format": 1, "node": node, "vault": vault, "active": last.active, "restore": restore}))
        sys.exit(0 if last.active or last.state == "done" else 1)
    if not last.active and not last.document:
        raise click.ClickException(f"{vault} is not restoring {node}, and has not; see: blackstart why {node}")
    sys.exit(follow(known, vault, node, last))


def look(known: Hosts, vault: str, node: str) -> unit.Look | str:
    """One look at a vault, or why there was none."""
    said, why = known.run(vault, unit.look(node))
    if why:
        return why
    try:
        return unit.parse_look(said)
    except ValueError as error:
        return str(error)


def follow(known: Hosts, vault: str, node: str, last: unit.Look | str) -> int:
    """Lines as things change; the exit code."""
    said, failed = "", 0
    while True:
        if isinstance(last, unit.Look):
            failed = 0
            line = unit.progress(last)
            if line != said:
                click.echo(lines(f"{node}: {line}"))
                said = line
            if not last.active:
                break
        else:
            failed += 1
            click.echo(f"{vault}: {last}; the restore goes on without us", err=True)
            if failed == 10:
                return 3
        time.sleep(2)
        last = look(known, vault, node)
    for line in [*unit.summary(last.document), *last.errors]:
        click.echo(lines(line))
    if last.state == "running":
        click.echo(f"it was ended from outside; go on with: blackstart rebuild {node}")
    return 0 if last.state == "done" else 1


def lines(text: str) -> str:
    """One line for people as lines of 80 columns; names are never broken."""
    return textwrap.fill(text, 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
