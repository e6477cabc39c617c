"""`blackstart project`: releases of the services that containers run."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from blackstart import projects
from blackstart.cli.fleet_hosts import read_fleet
from blackstart.cli.group import Group
from blackstart.lockfile import set_entry
from blackstart.project import ProjectError, digest, folder, pack
from blackstart.spec.load import fleet_path
from blackstart.spec.problem import did_you_mean


@click.group(cls=Group)
def project() -> None:
    """Keep the services below projects/: their files, units and releases."""


@project.command()
@click.argument("name")
@click.option("--from", "source", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Its files.")
@click.option("--command", metavar="LINE", help="What its unit runs, where its files bring none.")
def add(name: str, source: Path | None, command: str | None) -> None:
    """Take a service into the fleet as projects/NAME, and release it.

    Copies a folder, and writes NAME.service as a template where it has no unit. Changes its digest in lock.toml.
    Containers that name it get it by apply.
    """
    root = fleet_path()
    if not (root / "fleet.toml").is_file():
        raise click.ClickException(f"{root} is no fleet: it has no fleet.toml; point BLACKSTART_FLEET at yours")
    try:
        place = projects.add(root, name, source, command)
        found = digest(pack(place))
    except ProjectError as error:
        raise click.ClickException(str(error)) from None
    set_entry(root, "projects", name, {"digest": found})
    click.echo(f"{name} {found}")
    click.echo("next: write these two lines into a file of containers/, commit, blackstart apply")
    click.echo(f'\n[[services]]\nproject = "{name}"')


@project.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(as_json: bool) -> None:
    """List every project: its release, how its folder stands to it, and what runs it. Changes nothing."""
    found = projects.projects(read_fleet(), fleet_path())
    if as_json:
        click.echo(json.dumps({"format": 1, "projects": [asdict(each) for each in found]}))
        return
    if not found:
        click.echo("no projects; take one in: blackstart project add NAME --from FOLDER")
        return
    table = Table("project", "release", "folder", "runs in", box=None, pad_edge=False)
    for each in found:
        table.add_row(each.name, _short(each.digest), each.state, ", ".join(use.container for use in each.used))
    Console(highlight=False).print(table)


@project.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(name: str, as_json: bool) -> None:
    """Show one project: its release, its units, and where it runs. Changes nothing."""
    fleet, root = read_fleet(), fleet_path()
    known = {each.name: each for each in projects.projects(fleet, root)}
    if name not in known:
        raise click.ClickException(f"the fleet has no project {name}; {did_you_mean(name, sorted(known), 'project')}")
    found = known[name]
    if as_json:
        click.echo(json.dumps({"format": 1, "projects": [asdict(found)]}))
        return
    click.echo(f"{name}: {found.state}")
    click.echo(f"  {found.digest or 'no release'}")
    click.echo(f"  units: {', '.join(found.units) or 'none'}")
    for use in found.used:
        click.echo(f"  runs in {use.container} on {use.node}, port {use.port}")
    if found.why:
        click.echo(textwrap.fill(found.why, 80, initial_indent="  ", subsequent_indent="    ", break_long_words=False))
    if found.state in ("changed", "not released") and not found.why:
        click.echo(f"  next: blackstart project lock {name}")


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12] or "none"


@project.command()
@click.argument("name")
def lock(name: str) -> None:
    """Release projects/NAME as it is.

    Changes its digest in lock.toml. Containers get it by apply.
    """
    root = fleet_path()
    if not folder(root, name).is_dir():
        there = sorted(path.name for path in root.glob("projects/*") if path.is_dir())
        raise click.ClickException(f"{root}/projects has no {name}; {did_you_mean(name, there, 'project')}")
    try:
        found = digest(pack(folder(root, name)))
    except ProjectError as error:
        raise click.ClickException(str(error)) from None
    changed = set_entry(root, "projects", name, {"digest": found})
    click.echo(f"{name} {found}" + ("" if changed else " (as before)"))
