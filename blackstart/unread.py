"""Exit code 3 of a run that failed because something could not be read: pyinfra itself knows 0 and 1 alone."""

from __future__ import annotations

import sys

import click

CODE = 3

_noted = False


def note() -> None:
    """Something that this run depends on could not be read. It changes nothing about a run that ends well."""
    global _noted
    _noted = True


def end() -> None:
    """Called while what ends the run is on its way out of click: a failure becomes 3 where something was not read."""
    leaving = sys.exc_info()[1]
    if not _noted:
        return
    if isinstance(leaving, click.ClickException) and leaving.exit_code == 1:
        vars(leaving)["exit_code"] = CODE
    elif isinstance(leaving, SystemExit) and leaving.code == 1:
        raise SystemExit(CODE)
