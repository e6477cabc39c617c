"""`blackstart restore NODE/DATASET`: one lost dataset of a living node, or an older state of one."""

from __future__ import annotations

import sys

import click

from blackstart.cli.fleet_hosts import given, hosts, not_empty, ssh_config_option
from blackstart.cli.rebuild import planned


@click.command()
@click.argument("what", metavar="NODE/DATASET")
@click.option("--at", metavar="TIME|SNAPSHOT", callback=not_empty, help="Go back to this state instead of the newest.")
@click.option("--plan", "plan_only", is_flag=True, help="Only show what would be done.")
@ssh_config_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the node's name.")
def restore(what: str, at: str | None, plan_only: bool, ssh_config: str | None, yes: bool) -> None:
    """Bring one dataset of a living node back, like node1/tank/data/crm.

    What has the name now is renamed aside and kept; containers that use it are stopped for the exchange only.

    Exit code 0: it is back. 1: refused, or something failed. 3: something could not be read.
    """
    node, slash, dataset = what.partition("/")
    if slash:
        hosts(node, ssh_config)
    if "/" not in dataset:
        raise click.ClickException(f"{what!r} is not NODE/DATASET, like node1/tank/data/crm")
    data = given(dataset=dataset, at=at, ssh_config=ssh_config)
    sys.exit(planned("restore", node, data, plan_only, yes, f"restore {dataset} on"))
