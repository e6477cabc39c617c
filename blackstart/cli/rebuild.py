"""`blackstart rebuild NODE`: the plan first, then the very pyinfra command that bootstrap.py is."""

from __future__ import annotations

import sys

import click

from blackstart.cli.apply import pyinfra_command, run
from blackstart.cli.fleet_hosts import disks_option, given, hosts, not_empty, ssh_config_option
from blackstart.restore.keeper import keepers, no_keeper


@click.command()
@click.argument("node")
@disks_option
@click.option("--at", metavar="TIME|SNAPSHOT", callback=not_empty, help="Go back to this state instead of the newest.")
@click.option(
    "--vault",
    metavar="NAME",
    callback=not_empty,
    help="Bring all from this vault, instead of the one that has the newest.",
)
@click.option(
    "--without",
    metavar="DATASET,...",
    callback=not_empty,
    help="Leave these out for now; `blackstart restore` brings each one back later.",
)
@click.option("--abandon", is_flag=True, help="Give up a rebuild that has made nothing yet.")
@click.option("--plan", "plan_only", is_flag=True, help="Only show what would be done.")
@ssh_config_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the node's name.")
def rebuild(
    node: str,
    disks: str | None,
    at: str | None,
    vault: str | None,
    without: str | None,
    abandon: bool,
    plan_only: bool,
    ssh_config: str | None,
    yes: bool,
) -> None:
    """Bring a lost NODE back from its spec as last applied and its last snapshot.

    Shows its plan, and asks for the node's name. Then makes pools on blank members (or imports what survived) and
    brings data, host and containers back. Destroys nothing. Run it again after anything that stopped it: it goes on
    where it was.

    Exit code 0: the node is back, or was intact. 1: refused, or something failed. 3: something could not be read.
    """
    _, spec = hosts(node, ssh_config)
    if vault is not None and vault not in keepers(spec):
        raise click.ClickException(f"{node}: {no_keeper(vault, keepers(spec))}")
    data = given(disks=disks, at=at, vault=vault, without=without, ssh_config=ssh_config)
    if abandon:
        sys.exit(run(pyinfra_command("bootstrap", (node,), data | {"abandon": "yes"}, ("-y",))))
    sys.exit(planned("bootstrap", node, data, plan_only, yes, "rebuild"))


def planned(deploy: str, node: str, data: dict[str, str], plan_only: bool, yes: bool, verb: str) -> int:
    """Show the plan, ask for the node's name, carry it out; the exit code of the last command."""
    if plan_only or not yes:
        refused = run(pyinfra_command(deploy, (node,), data | {"plan": "only"}, ("-y",)))
        if refused or plan_only:
            return refused
        typed = click.prompt(f"To {verb} it, type the node's name", default="", show_default=False)
        if typed.strip() != node:
            click.echo("Nothing was done.")
            return 1
    return run(pyinfra_command(deploy, (node,), data, ("-y",)))
