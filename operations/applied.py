"""What was applied to the host last: written whole at the end of a run that succeeded, and only if it changed."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.converge.everything import diff
from blackstart.converge.pool import at_epoch
from blackstart.converge.wanted import Wanted
from blackstart.drift import wishes
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.vault.layout import APPLIED
from operations import left
from operations.common import Commands, refuse, replaced
from operations.live import live, spoil


@operation()
def left_alone(wanted: Wanted) -> Commands:
    """Say what differs and is no deploy's to change, and what is there without being wanted. Runs nothing."""
    if state.is_executing:
        changes = diff(wanted, live(wanted, *(field.name for field in fields(Live))))
        for change in changes:
            if change.action in ("report", "unmanaged"):
                host.log_styled(str(change), fg="yellow")
        left.say(host.name, [change for change in changes if left.is_left(change)])
    return
    yield


@operation()
def applied(wanted: Wanted, digest: str, commit: str, by: str, spec: dict[str, Any]) -> Commands:
    """Write the record, with what the spec came to: drift tells by it whether the spec or the host has moved."""
    found = live(wanted, "applied").applied
    if isinstance(found, Unknown):
        yield refuse(f"what was applied last could not be read: {found.why}")
    before = found.value if isinstance(found, Present) else {}
    now = {"digest": digest, "commit": commit, wishes.KEY: wishes.as_kept(at_epoch(wanted, None))}
    if any(before.get(key) != value for key, value in now.items()) or wishes.BEGUN in before:
        record = {"format": 1, "by": by, "at": int(time.time()), "spec": spec} | now
        yield replaced(APPLIED, json.dumps(record, indent=1, sort_keys=True))
        spoil("applied")
