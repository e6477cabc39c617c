"""What was applied to the host last: written whole at the end of a run that succeeded, and only if it changed."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Absent, Present, Unknown
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
    """Write the record."""
    found = live(wanted, "applied").applied
    if isinstance(found, Unknown):
        yield refuse(f"what was applied last could not be read: {found.why}")
    before = found.value if isinstance(found, Present) else {}
    if isinstance(found, Absent) or (before.get("digest"), before.get("commit")) != (digest, commit):
        record = {"format": 1, "digest": digest, "commit": commit, "by": by, "at": int(time.time()), "spec": spec}
        fresh = APPLIED + ".new"
        steps = [f"cat > {shell(fresh)}", shell("sync", fresh), shell("mv", "-T", fresh, APPLIED)]
        yield with_stdin(" && ".join(steps), json.dumps(record, indent=1, sort_keys=True))
        spoil("applied")
