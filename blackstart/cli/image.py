"""`blackstart image`: root images of containers, and their digests in lock.toml."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from blackstart import image as images
from blackstart.cli.fleet_hosts import read_fleet
from blackstart.cli.group import Group
from blackstart.lockfile import set_entry
from blackstart.progress import progress
from blackstart.spec.fleet import Fleet, LockedImage
from blackstart.spec.load import fleet_path
from blackstart.spec.problem import did_you_mean
from blackstart.spec.types import format_size


@click.group(cls=Group)
def image() -> None:
    """Build, import and list root images of containers."""


def _write(fleet: Fleet, name: str, locked: LockedImage) -> None:
    before = fleet.lock.images.get(name)
    set_entry(fleet_path(), "images", name, {"digest": locked.digest, "size": locked.size})
    click.echo(f"{name} {locked.digest} {locked.size}")
    if before and before.digest != locked.digest:
        was = before.digest[:19]
        click.echo(f"{name} was {was}…: containers get the new one by `blackstart apply`", err=True)


@image.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="Build even if this recipe was built before: for newer packages.")
def build(name: str, again: bool) -> None:
    """Build image NAME as fleet.toml describes it.

    Changes this machine's cache, and NAME's digest in lock.toml. Containers get it by apply.
    """
    fleet = read_fleet()
    wanted = fleet.settings.images.get(name)
    if wanted is None:
        hint = did_you_mean(name, list(fleet.settings.images), "image")
        raise click.ClickException(f"fleet.toml has no [images.{name}]; {hint}")
    if wanted.suite is None:
        raise click.ClickException(f"image {name} comes from a tarball: run `blackstart image import {name}`")
    try:
        recipe = images.Recipe(wanted.suite, wanted.include, images.debian_architecture())
        with progress(f"image {name}") as task:
            locked = images.build(recipe, task.says, again=again)
    except images.ImageError as error:
        raise click.ClickException(str(error)) from None
    _write(fleet, name, locked)


@image.command("import")
@click.argument("name")
@click.argument("tarball", required=False, type=click.Path(path_type=Path))
def import_(name: str, tarball: Path | None) -> None:
    """Take TARBALL for image NAME; without it, the one that fleet.toml names.

    A tar, plain or gz, xz, zst, bz2. Changes this machine's cache, and NAME's digest in lock.toml. Containers get it by
    apply.
    """
    fleet = read_fleet()
    wanted = fleet.settings.images.get(name)
    if tarball is None:
        if wanted is None or wanted.tarball is None:
            raise click.ClickException(f"fleet.toml names no tarball for image {name}; give one")
        tarball = fleet_path() / wanted.tarball
    try:
        with progress(f"image {name}") as task:
            locked = images.take(tarball, task.says)
    except images.ImageError as error:
        raise click.ClickException(str(error)) from None
    _write(fleet, name, locked)


@image.command("list")
def list_() -> None:
    """List every image of the fleet: what lock.toml names, and whether the cache has it. Changes nothing."""
    fleet = read_fleet()
    if not fleet.settings.images and not fleet.lock.images:
        click.echo("no images; describe one in fleet.toml, like [images.debian-13]")
        return
    table = Table("image", "from", "digest", "size", "cache", box=None, pad_edge=False)
    for name in sorted({*fleet.settings.images, *fleet.lock.images}):
        wanted, locked = fleet.settings.images.get(name), fleet.lock.images.get(name)
        origin = (wanted.suite or wanted.tarball or "") if wanted else "import"
        if locked is None:
            table.add_row(name, origin, "not built", "", "")
            continue
        try:
            images.tarball_of(locked)
            cached = "yes"
        except images.ImageError:
            cached = "no"
        size = f"{locked.size / 1e6:.1f} MB" if locked.size >= 10**6 else format_size(locked.size)
        table.add_row(name, origin, locked.digest.removeprefix("sha256:")[:12], size, cached)
    Console(highlight=False).print(table)
