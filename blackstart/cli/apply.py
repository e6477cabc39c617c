"""`blackstart apply [NODE...]`: the very pyinfra command that a person would type, with its output as it comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from blackstart.cli.fleet_hosts import (
    disks_option,
    given,
    read_fleet,
    require_node,
    require_selection,
    ssh_config_option,
)
from blackstart.typed import MARK

ROOT = Path(__file__).parents[2]


def pyinfra_command(
    deploy: str, nodes: tuple[str, ...], data: dict[str, str], words: tuple[str, ...] = ()
) -> list[str]:
    """`pyinfra inventory deploys/<deploy>.py ...` with the Python that runs this."""
    limits = [part for node in nodes for part in ("--limit", node)]
    given = [part for key, value in data.items() for part in ("--data", f"{key}={value}")]
    # On a vault its command does not lie beside Python: there, libraries are only on Python's path.
    own = Path(sys.executable).parent / "pyinfra"
    pyinfra = [str(own)] if own.exists() else [sys.executable, "-m", "pyinfra"]
    return [*pyinfra, "inventory", f"deploys/{deploy}.py", *limits, *given, *words]


def run(command: list[str]) -> int:
    """Run it in the project's folder, where pyinfra finds its config.py; the fleet stays where the caller has it."""
    fleet = Path(os.environ.get("BLACKSTART_FLEET") or "inventory").resolve()
    environment = os.environ | {MARK: "1"}
    if fleet.is_dir():
        environment["BLACKSTART_FLEET"] = str(fleet)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


@click.command()
@click.argument("nodes", nargs=-1, metavar="[NODE]...")
@disks_option
@click.option("--dry", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--plan", "digest", metavar="DIGEST", help="Only if `blackstart plan NODE` would still say this.")
@click.option("--take-spec", is_flag=True, help="Also where somebody changed the host: the spec's values count.")
@ssh_config_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def apply(
    nodes: tuple[str, ...],
    disks: str | None,
    dry: bool,
    digest: str | None,
    take_spec: bool,
    ssh_config: str | None,
    yes: bool,
) -> None:
    """Bring living nodes to their spec: all of them, unless named.

    Changes on the hosts what differs: packages, files, users, units, datasets, containers. Never makes a pool, destroys
    nothing. NODE may also be a group or a pattern: vaults, 'web*'. A value that somebody changed on the host since the
    last apply stays, and is said.

    Exit code 0: done. 1: refused, not confirmed, or something failed. 2: done, but for what somebody changed on the
    host. 3: something could not be read.
    """
    fleet = read_fleet()
    require_selection(fleet, nodes)
    if digest is not None and (len(nodes) != 1 or nodes[0] not in fleet.nodes):
        raise click.UsageError("--plan goes with exactly one NODE, the one that was planned")
    data = given(disks=disks, ssh_config=ssh_config, plan=digest, take_spec="yes" if take_spec else None)
    sys.exit(run(pyinfra_command("site", nodes, data, ("--dry",) * dry + ("-y",) * yes)))


@click.command()
@click.argument("node")
@disks_option
@click.option("--dry", is_flag=True, help="Show what would be made, and make nothing.")
@ssh_config_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def enroll(node: str, disks: str | None, dry: bool, ssh_config: str | None, yes: bool) -> None:
    """Provision NODE for the first time.

    Makes its pools, on members that are proven blank, and all that apply brings; its vaults begin a record of it.

    Exit code 0: done. 1: refused, not confirmed, or something failed. 3: something could not be read.
    """
    require_node(read_fleet(), node)
    data = given(enroll="yes", disks=disks, ssh_config=ssh_config)
    sys.exit(run(pyinfra_command("site", (node,), data, ("--dry",) if dry else ("-y",) * yes)))
