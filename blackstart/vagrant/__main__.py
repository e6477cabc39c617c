"""`python -m blackstart.vagrant`: what the Makefile and the Vagrantfile call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from blackstart.cli.group import Group
from blackstart.drill.cli import play
from blackstart.drill.scenario import MEGABYTES
from blackstart.lab import LabError
from blackstart.spec.load import fleet_path

from . import box as boxes
from . import own as owned
from .lab import VagrantLab
from .machines import Identities, described, dot_folder

ROOT = Path.cwd()


@click.group(cls=Group)
def vagrant() -> None:
    """The lab's machines under Vagrant."""


@vagrant.command()
def box() -> None:
    """Hand the lab's image to Vagrant, built now if need be, and print the box's name."""
    click.echo(boxes.ensure())


@vagrant.command()
def describe() -> None:
    """Print all machines as JSON, for the Vagrantfile."""
    click.echo(json.dumps(described(Identities(dot_folder(ROOT)), fleet_path())))


@vagrant.command()
def fleet() -> None:
    """Copy the example fleet, with the host keys of these machines, and print where it is."""
    click.echo(VagrantLab(ROOT).fleet(ROOT / "inventory"))


@vagrant.command()
def drill() -> None:
    """What `blackstart drill-lab` does, on Vagrant's machines."""
    play(ROOT, VagrantLab(ROOT), MEGABYTES)


@vagrant.command()
@click.argument("command", nargs=-1, required=True)
def own(command: tuple[str, ...]) -> None:
    """Run COMMAND beside a libvirt of its own, in a network of its own. Takes root."""
    sys.exit(owned.run(command, ROOT / ".rehearsal"))


@vagrant.command(hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("command", nargs=-1, required=True)
def inside(folder: Path, command: tuple[str, ...]) -> None:
    """What `own` starts in its namespaces."""
    sys.exit(owned.inside(folder, command))


if __name__ == "__main__":
    try:
        vagrant()
    except LabError as problem:
        sys.exit(str(problem))
