"""What pyinfra's own 0 and 1 do not tell apart.

3: a run failed because something could not be read. 2: it did what it may, and left alone what somebody changed.
"""

from __future__ import annotations

import sys

import click

CODE = 3
LEFT = 2

_noted = False
_left = False


def note() -> None:
    """Something that this run depends on could not be read. It changes nothing about a run that ends well."""
    global _noted
    _noted = True


def left() -> None:
    """Something on a host is still not as the spec says, by a person's doing. It changes nothing about a failure."""
    global _left
    _left = True


def end() -> None:
    """Called while what ends the run is on its way out of click: a failure becomes 3 where something was not read."""
    leaving = sys.exc_info()[1]
    if _left and isinstance(leaving, SystemExit) and not leaving.code:
        raise SystemExit(LEFT)
    if not _noted:
        return
    if isinstance(leaving, click.ClickException) and leaving.exit_code == 1:
        vars(leaving)["exit_code"] = CODE
    elif isinstance(leaving, SystemExit) and leaving.code == 1:
        raise SystemExit(CODE)
