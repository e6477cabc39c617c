"""`blackstart project`: releases of the services that containers run."""

from __future__ import annotations

import click

from blackstart.lockfile import set_entry
from blackstart.project import ProjectError, digest, folder, pack
from blackstart.spec.load import fleet_path
from blackstart.spec.problem import did_you_mean


@click.group()
def project() -> None:
    """Release the services below projects/."""


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
