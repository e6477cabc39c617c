"""A run that fails for want of something that could be read says so with its exit code; one that ends well does not."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner

from blackstart import unread


@click.command()
@click.argument("how")
@click.option("--unread", "is_unread", is_flag=True)
@click.option("--left", "is_left", is_flag=True)
def run(how: str, is_unread: bool, is_left: bool) -> None:
    click.get_current_context().call_on_close(unread.end)
    if is_unread:
        unread.note()
    if is_left:
        unread.left()
    if how == "raise":
        raise click.ClickException("no hosts remaining")
    sys.exit(int(how))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        *[("0", 0), ("0 --unread", 0), ("1", 1), ("1 --unread", 3), ("raise", 1), ("raise --unread", 3)],
        *[("0 --left", 2), ("1 --left", 1), ("1 --left --unread", 3), ("raise --left", 1)],
    ],
)
def test_only_a_failure_becomes_unread(monkeypatch: pytest.MonkeyPatch, words: str, code: int) -> None:
    monkeypatch.setattr(unread, "_noted", False)
    monkeypatch.setattr(unread, "_left", False)
    assert CliRunner().invoke(run, words.split()).exit_code == code
