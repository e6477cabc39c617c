"""`blackstart spec`: check the fleet's files, show what they come to, print their schema and reference."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from blackstart.cli.cases import wishes
from blackstart.cli.fleet_hosts import read_fleet, require_node
from blackstart.cli.group import Group
from blackstart.converge.context import commit_of
from blackstart.converge.everything import wanted
from blackstart.converge.wanted import Twice
from blackstart.spec.check import check as check_fleet
from blackstart.spec.check import warnings
from blackstart.spec.docs import reference
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import fleet_path, format_problem
from blackstart.spec.load import read_fleet as read_with_lines
from blackstart.spec.problem import Problem, SpecError
from blackstart.spec.resolve import resolve
from blackstart.spec.schema import FILES, schema
from blackstart.spec.show import as_toml, resolved


@click.group(cls=Group)
def spec() -> None:
    """Check the fleet's files, and show what they come to."""


@spec.command()
@click.option("--json", "as_json", is_flag=True, help="Problems as JSON, for editors and CI.")
def check(as_json: bool) -> None:
    """Say everything that is wrong with the fleet's files. Changes nothing.

    Exit code 0: nothing is (warnings do not count). 1: something is.
    """
    try:
        fleet, sources = read_with_lines(fleet_path())
        problems, notes = check_fleet(fleet, sources), warnings(fleet, sources)
        problems += [] if problems else _differently(fleet)
        notes += [] if problems else _commit()
        summary = f"{len(fleet.nodes)} nodes, {len(fleet.containers)} containers: nothing is wrong"
    except SpecError as error:
        problems, notes, summary = list(error.problems), [], ""
    if as_json:
        click.echo(json.dumps({"format": 1, "problems": as_data(problems), "warnings": as_data(notes)}))
    else:
        for note in notes:
            click.echo(f"warning: {note}", err=True)
        _print(problems, summary)
    sys.exit(1 if problems else 0)


def _differently(fleet: Fleet) -> list[Problem]:
    """What a node's spec wants of the host, and blackstart itself wants otherwise."""
    found = []
    for name in fleet.nodes:
        try:
            meant = wishes(fleet, fleet_path(), [name])
            wanted(meant.specs[name], meant.contexts[name])
        except Twice as error:
            said = f"{error}: by the spec and by blackstart itself; take another name"
            found.append(Problem(f"nodes/{name}.toml", ("host",), said))
        except (OSError, ValueError):
            continue  # what a deploy takes beside the spec: its own commands say it
    return found


def _commit() -> list[Problem]:
    if commit_of(fleet_path()):
        return []
    if shutil.which("git") is None:
        return [Problem("fleet.toml", (), "git is not installed here: whether this is committed is not known")]
    return [Problem("fleet.toml", (), "no git commit yet; until there is, the vaults get no copy of these files")]


def as_data(problems: list[Problem]) -> list[dict[str, Any]]:
    """For JSON."""
    return [{"file": each.file, "line": each.line, "key": list(each.key), "text": each.text} for each in problems]


def _print(problems: list[Problem], summary: str) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    count = len(problems)
    click.echo(
        f"{fleet_path()}: {count} problem{'s' if count != 1 else ''}" if problems else summary, err=bool(problems)
    )


@spec.command()
@click.argument("node")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(node: str, as_json: bool) -> None:
    """Show everything wanted of NODE. Changes nothing.

    Defaults and derived values (MACs, ports, datasets) are filled in.
    """
    fleet = read_fleet()
    require_node(fleet, node)
    data = resolved(resolve(fleet, node))
    click.echo(json.dumps(data, indent=1) if as_json else as_toml(data), nl=as_json)


@spec.command("schema")
@click.argument("file", type=click.Choice(sorted(FILES)), required=False)
def schema_(file: str | None) -> None:
    """Print the JSON Schema of one kind of file, or of all of them by name. Changes nothing."""
    made = schema(file) if file else {name: schema(name) for name in FILES}
    click.echo(json.dumps(made, indent=1))


@spec.command()
def migrate() -> None:
    """Lift files of an older format to the newest.

    Changes nothing yet: format 1 is the first, so there is nothing to lift.
    """
    root = fleet_path()
    paths = sorted([*root.glob("*.toml"), *root.glob("nodes/*.toml"), *root.glob("containers/*.toml")])
    if not paths:
        raise click.ClickException(f"{root}: no fleet here; set BLACKSTART_FLEET to the folder that has it")
    problems = [problem for path in paths if (problem := _format(root, path))]
    _print(problems, f"{len(paths)} files, all of format 1, the newest: nothing to lift")
    sys.exit(1 if problems else 0)


def _format(root: Path, path: Path) -> Problem | None:
    file = path.relative_to(root).as_posix()
    try:
        return format_problem(file, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        return Problem(file, (), f"cannot be read: {error}")


@spec.command()
def docs() -> None:
    """Print the reference of the format, made from the models (docs/spec.md). Changes nothing."""
    click.echo(reference(), nl=False)
