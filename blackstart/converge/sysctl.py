"""Kernel settings: the file is a wanted file; here is the running value."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import known, report, unknown, update
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Unknown


def diff(wanted: Wanted, live: Live) -> list[Change]:
    values = known(live.sysctl)
    if isinstance(values, Unknown):
        return unknown("sysctl", wanted.sysctl, values)
    changes = []
    for key, value in sorted(wanted.sysctl.items()):
        if key not in values:
            changes.append(report("sysctl", key, "", value, "not known to this kernel"))
        elif values[key].split() != value.split():  # the kernel prints tabs where people write spaces
            changes.append(update("sysctl", key, "", value, values[key]))
    return changes


def commands(changes: list[Change]) -> list[str]:
    values = [f"{change.name}={change.spec}" for change in changes if change.action == "update"]
    return [shell("sysctl", "-q", "-w", *values)] if values else []
