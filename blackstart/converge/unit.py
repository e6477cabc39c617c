"""Systemd units of the host: enabled and active as wanted, restarted once when a file they stand on changed."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge import paths
from blackstart.converge.compare import known, unknown, unmanaged, update
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Unknown

_ENABLED = ("enabled", "enabled-runtime", "static", "generated", "indirect", "alias")


def diff(wanted: Wanted, live: Live) -> list[Change]:
    units = known(live.units)
    if isinstance(units, Unknown):
        return unknown("unit", wanted.units, units)
    changes = []
    for name, unit in wanted.units.items():
        found = units.get(name)
        enabled = found.enabled if found else ""
        active = found.active if found else "not-found"
        if unit.enabled and enabled not in _ENABLED:
            changes.append(update("unit", name, "enabled", "enabled", enabled or "not-found"))
        if not unit.enabled and enabled.startswith("enabled"):
            changes.append(update("unit", name, "enabled", "disabled", enabled))
        if unit.active is True and active not in ("active", "activating", "reloading"):
            changes.append(update("unit", name, "active", "active", active))
        if unit.active is False and active in ("active", "activating", "reloading"):
            changes.append(update("unit", name, "active", "inactive", active))
    return changes + [unmanaged("unit", name) for name in left_over(wanted, live)]


def left_over(wanted: Wanted, live: Live) -> list[str]:
    """Units that came from the spec, by the marks of their names, and that it no longer has."""
    files = known(live.files)
    prefix = paths.unit_mark("")
    marks = [] if isinstance(files, Unknown) else [path for path in sorted(files) if path.startswith(prefix)]
    return [path.removeprefix(prefix) for path in marks if path not in wanted.files]


def commands(changes: list[Change]) -> list[str]:
    """One command per verb: after each `systemctl enable` systemd reads all its units again, which may take seconds."""
    verbs = {"enabled": "enable", "disabled": "disable", "active": "start", "inactive": "stop"}
    names = {state: [each.name for each in changes if (each.action, each.spec) == ("update", state)] for state in verbs}
    return [shell("systemctl", verb, *names[state]) for state, verb in verbs.items() if names[state]]


def restarts(wanted: Wanted, changed: set[str]) -> list[str]:
    """Commands for the units that stand on one of the `changed` files; a unit not running is left to `diff`."""
    return [
        shell("systemctl", "try-restart", name)
        for name, unit in wanted.units.items()
        if unit.active is not False and changed.intersection(unit.restart_on)
    ]
