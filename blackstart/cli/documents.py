"""`blackstart json`: the schemas and the reference of the JSON that this tool writes."""

from __future__ import annotations

import json

import click

from blackstart.cli.group import Group
from blackstart.documents.all import DOCUMENTS, schema
from blackstart.documents.page import page


@click.group("json", cls=Group)
def json_() -> None:
    """Print the schemas and the reference of all JSON that other programs may read."""


@json_.command("schema")
@click.argument("name", type=click.Choice(sorted(DOCUMENTS)), required=False, metavar="[NAME]")
def schema_(name: str | None) -> None:
    """Print the JSON Schema of one kind of document, like `why`, or of all of them by name. Changes nothing."""
    made = schema(name) if name else {each: schema(each) for each in DOCUMENTS}
    click.echo(json.dumps(made, indent=1))


@json_.command()
def docs() -> None:
    """Print the reference of all documents, made from the models (docs/json.md). Changes nothing."""
    click.echo(page(), nl=False)
