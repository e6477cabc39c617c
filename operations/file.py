"""Whole files, all in one exec."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import file
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out, with_stdin
from operations.left import ours
from operations.live import live


@operation()
def files(wanted: Wanted) -> Commands:
    """Put every file that differs in place, then reload and restart what stands on them, once."""
    changes = ours(file.diff(wanted, live(wanted, "files")))
    found = file.command(changes, wanted)
    commands = [with_stdin(*found)] if found else []
    yield from carry_out(changes, commands, "files", "units", "links", "sysctl", "containers")
