"""`blackstart apply [NODE...]`: the very pyinfra command that a person would type, with its output as it comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]


def pyinfra_command(
    deploy: str, nodes: tuple[str, ...], data: dict[str, str], words: tuple[str, ...] = ()
) -> list[str]:
    """`pyinfra inventory deploys/<deploy>.py ...` with the Python that runs this."""
    limits = [part for node in nodes for part in ("--limit", node)]
    given = [part for key, value in data.items() for part in ("--data", f"{key}={value}")]
    return [str(Path(sys.executable).parent / "pyinfra"), "inventory", f"deploys/{deploy}.py", *limits, *given, *words]


def run(command: list[str]) -> int:
    """Run it in the project's folder, where pyinfra finds its config.py; the fleet stays where the caller has it."""
    fleet = Path(os.environ.get("BLACKSTART_FLEET") or "inventory").resolve()
    environment = dict(os.environ)
    if fleet.is_dir():
        environment["BLACKSTART_FLEET"] = str(fleet)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


@click.command()
@click.argument("nodes", nargs=-1)
@click.option("--disks", metavar="OLD=NEW,...", help="Disks that stand in for those of the spec.")
@click.option(
    "--ssh-config", type=click.Path(dir_okay=False), help="How to reach the hosts, instead of the spec (lab)."
)
@click.option("--dry", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def apply(nodes: tuple[str, ...], disks: str | None, ssh_config: str | None, dry: bool, yes: bool) -> None:
    """Bring living nodes to their spec (all of them, unless named). Never makes a pool, destroys nothing."""
    _go(nodes, {}, disks, ssh_config, ("--dry",) * dry + ("-y",) * yes)


@click.command()
@click.argument("node")
@click.option("--disks", metavar="OLD=NEW,...", help="Disks that stand in for those of the spec.")
@click.option(
    "--ssh-config", type=click.Path(dir_okay=False), help="How to reach the hosts, instead of the spec (lab)."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def enroll(node: str, disks: str | None, ssh_config: str | None, yes: bool) -> None:
    """Provision NODE for the first time: its pools are made, on members that are proven blank."""
    _go((node,), {"enroll": "yes"}, disks, ssh_config, ("-y",) * yes)


def _go(
    nodes: tuple[str, ...], data: dict[str, str], disks: str | None, ssh_config: str | None, words: tuple[str, ...]
) -> None:
    if disks:
        data = data | {"disks": disks}
    if ssh_config:
        data = data | {"ssh_config_file": str(Path(ssh_config).resolve())}
    sys.exit(run(pyinfra_command("site", nodes, data, words)))
