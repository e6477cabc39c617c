"""`blackstart lab ...`: the lab from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from blackstart.cli.group import Group

from . import image as images
from .errors import LabError
from .lab import Lab
from .machines import EXAMPLE, MACHINES
from .ssh import Shell

P = ParamSpec("P")
R = TypeVar("R")


def _refusing(function: Callable[P, R]) -> Callable[P, R]:
    """Say what went wrong without a traceback; exit code 1."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except LabError as problem:
            raise click.ClickException(str(problem)) from problem

    return wrapped


@click.group(cls=Group)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path(".lab"), show_default=True, help="Where it lives."
)
@click.pass_context
@_refusing
def lab(ctx: click.Context, folder: Path) -> None:
    """Run machines with ZFS and LXC on this computer, to lose and to rebuild."""
    ctx.obj = Lab(folder)


@lab.command()
@_refusing
def image() -> None:
    """Build the machines' image, once for each recipe (some minutes), and print where it is."""
    click.echo(images.ensure().folder)


@lab.command()
@click.argument("names", nargs=-1)
@click.option("--warm/--cold", default=True, help="Thaw machines that booted once before, or boot anew.")
@click.pass_obj
@_refusing
def up(lab: Lab, names: tuple[str, ...], warm: bool) -> None:
    """Start NAMES (the example fleet's when none is given); what runs is left alone."""
    for name in names or EXAMPLE:
        if name not in lab.names():
            if name not in MACHINES:
                raise LabError(f"no machine {name}; there are: {', '.join(MACHINES)}")
            lab.define(MACHINES[name], warm=warm)
    lab.start(*(names or EXAMPLE), warm=warm)
    _table(lab)


@lab.command()
@click.pass_obj
@_refusing
def down(lab: Lab) -> None:
    """Stop everything that this lab started and remove its machines."""
    lab.down()


@lab.command()
@click.pass_obj
@_refusing
def status(lab: Lab) -> None:
    """Show the machines, and how to reach them."""
    _table(lab)


def _table(lab: Lab) -> None:
    table = Table("machine", "state", "address", "ssh", "forwards", "hostid", "disks", box=None, pad_edge=False)
    for m in lab.machines():
        now = m.state
        forwards = " ".join(f"{guest}→{host}" for guest, host in now.forwards.items())
        disks = " ".join(disk.serial for disk in now.disks)
        power = "running" if m.is_running else "off"
        reach = f"127.0.0.1:{now.ssh_port}"
        table.add_row(m.name, power, m.address, reach, forwards, m.hostid, disks)
    for column in table.columns:
        column.overflow = "fold"  # a port cut short is no port
    console = Console()
    if not console.is_terminal:  # a file has no width: nothing is cut
        console = Console(width=200)
    console.print(table)
    click.echo(f"ssh -F {lab.ssh_config} NAME")


@lab.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("inventory"))
@click.pass_obj
@_refusing
def fleet(lab: Lab, source: Path) -> None:
    """Copy the fleet SOURCE (inventory when none is given) for these machines: a git repository of its own, with
    their host keys in it. Nodes without a machine are left out, with their containers. A copy that was there before is
    replaced. Prints its folder.
    """
    click.echo(lab.fleet(source))


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
@_refusing
def ssh(lab: Lab, name: str, command: tuple[str, ...]) -> None:
    """Open a shell on NAME, or run one command there."""
    machine = lab[name]
    argv = Shell(lab.root, name).argv(machine.spec.user)
    sys.stdout.flush()
    os.execvp(argv[0], [*argv, *(("--", *command) if command else ())])


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def start(lab: Lab, name: str) -> None:
    """Boot NAME as it is."""
    lab[name].start()


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def kill(lab: Lab, name: str) -> None:
    """Pull NAME's plug."""
    lab[name].kill()


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def replace(lab: Lab, name: str) -> None:
    """Lose NAME for good: a stock machine with new, empty disks and a new host key stands in its place."""
    machine = lab[name]
    machine.kill()
    machine.replace()
    machine.start()
    click.echo(f"{name}: host key {machine.host_public_key}")
    click.echo(f"{name}: fingerprint {machine.host_fingerprint}")
    _table(lab)


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def reinstall(lab: Lab, name: str) -> None:
    """Lose NAME's system and keep its data disks."""
    machine = lab[name]
    machine.kill()
    machine.reinstall_os()
    machine.start()
    click.echo(f"{name}: host key {machine.host_public_key}")


@lab.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_obj
@_refusing
def link(lab: Lab, name: str, state: str) -> None:
    """Plug or pull NAME's network cables."""
    lab[name].set_link(state == "on")


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("offset", type=float)
@click.pass_obj
@_refusing
def clock(lab: Lab, name: str, offset: float) -> None:
    """Set NAME's clock to OFFSET seconds from now."""
    lab[name].set_clock(offset)


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def save(lab: Lab, name: str) -> None:
    """Remember all running machines, memory and disks, as NAME."""
    lab.save(name)


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def load(lab: Lab, name: str) -> None:
    """Bring all machines back to what was saved as NAME."""
    lab.load(name)


@lab.command()
@click.argument("name")
@click.pass_obj
@_refusing
def logs(lab: Lab, name: str) -> None:
    """Print what NAME's serial console said."""
    log = lab[name].serial_log
    click.echo(log.read_text(errors="replace") if log.exists() else f"{name} was never started")


@lab.command()
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first round's seed.")
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True, help="One seed each.")
@click.pass_obj
@_refusing
def torture(lab: Lab, seed: int, rounds: int) -> None:
    """Lose nodes at random and rebuild them on real ZFS, in machines of its own.

    Each seed is a fleet with a past and a loss; which verdict is right is known from how it was made. One machine is
    node and vaults at once, and a round takes a minute or two under emulation; every tenth seed is played on whole
    machines, in some ten minutes. The page is in .torture/guest. Exit code 1: something did not hold, with the line
    that shows it again.
    """
    from blackstart.torture.guest import command  # what other commands would wait for

    if not command.torture(Lab(lab.root / "torture"), seed, rounds):
        sys.exit(1)
