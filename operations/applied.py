"""What was applied to the host last: written whole at the end of a run that succeeded, and only if it changed."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.drift import wishes
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.vault.layout import APPLIED
from operations.common import Commands, refuse, with_stdin
from operations.live import live, spoil


@operation()
def left_alone(wanted: Wanted) -> Commands:
    """Say what differs and is no deploy's to change, and what is there without being wanted. Runs nothing."""
    if state.is_executing:
        changes = diff(wanted, live(wanted, *(field.name for field in fields(Live))))
        for change in changes:
            if change.action in ("report", "unmanaged"):
                host.log_styled(str(change), fg="yellow")
    return
    yield


@operation()
def applied(wanted: Wanted, digest: str, commit: str, by: str, spec: dict[str, Any]) -> Commands:
    """Write the record, with what the spec came to: drift tells by it whether the spec or the host has moved."""
    found = live(wanted, "applied").applied
    if isinstance(found, Unknown):
        yield refuse(f"what was applied last could not be read: {found.why}")
    before = found.value if isinstance(found, Present) else {}
    now = {"digest": digest, "commit": commit, wishes.KEY: wishes.as_kept(wanted)}
    if any(before.get(key) != value for key, value in now.items()) or wishes.BEGUN in before:
        yield _write({"format": 1, "by": by, "at": int(time.time()), "spec": spec} | now)
        spoil("applied")


@operation()
def begun(wanted: Wanted) -> Commands:
    """Note what this run wants before it changes anything, should it not come to its end.

    Without it, what a run that failed left behind would look like somebody's work on the host.
    """
    now = live(wanted)
    known = now.applied.value if isinstance(now.applied, Present) else {}
    kept, runs = wishes.as_kept(wanted), known.get(wishes.BEGUN, [])
    if wishes.KEY not in known or known[wishes.KEY] == kept or kept in runs:
        return
    if any(change.action in ("create", "update") for change in diff(wanted, now)):
        yield _write(known | {wishes.BEGUN: [*runs, kept][-wishes.MOST :]})
        spoil("applied")


def _write(record: dict[str, Any]) -> StringCommand:
    fresh = APPLIED + ".new"
    steps = [f"cat > {shell(fresh)}", shell("sync", fresh), shell("mv", "-T", fresh, APPLIED)]
    return with_stdin(" && ".join(steps), json.dumps(record, indent=1, sort_keys=True))
