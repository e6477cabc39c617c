"""What `--help` of a group shows of its commands, on the narrowest terminal that pages and output are made for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from blackstart.cli import main
from blackstart.vagrant.__main__ import vagrant


def groups(found: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Group]]:
    """A group and those below it, each with the words that lead to it."""
    if isinstance(found, click.Group):
        yield words, found
        context = click.Context(found)
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            assert below is not None
            yield from groups(below, (*words, name))


GROUPS = [(words, main) for words, _ in groups(main)] + [((), vagrant)]


def test_there_are_groups_below_others() -> None:
    assert {("spec",), ("lab",), ("token",)} <= {words for words, _ in GROUPS}


@pytest.mark.parametrize(
    ("words", "program"), GROUPS, ids=[" ".join(words) or str(found.name) for words, found in GROUPS]
)
def test_no_sentence_is_cut(words: tuple[str, ...], program: click.Group) -> None:
    said = CliRunner().invoke(program, [*words, "--help"], env={"COLUMNS": "80"}).stdout
    usage, _, rest = said.partition("\n")
    assert usage.startswith("Usage: ") and rest
    assert "..." not in rest and "…" not in rest
    assert [line for line in said.splitlines() if len(line) > 80] == []
