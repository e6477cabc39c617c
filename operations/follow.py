"""Follow a restore on its vault to its end: what it says of itself, for the person at the terminal."""

from __future__ import annotations

import time

from blackstart.restore import unit
from blackstart.restore.job import Job
from operations.host_shell import ShellError
from operations.vault_shell import on_vault
from operations.verdict import say

PATIENCE = 20  # looks at the vault in a row that may fail before it is given up; the unit runs on


def follow(job: Job) -> bool:
    """Say how the restore goes until its unit ends; True when all is back. Raises ShellError, ValueError."""
    node, said, failed = job.spec.name, "", 0
    while True:
        try:
            found = unit.parse_look(on_vault(job.vault, unit.look(node)))
            failed = 0
        except (ShellError, ValueError):
            failed += 1
            if failed >= PATIENCE:
                raise
            time.sleep(5)
            continue
        line = unit.progress(found)
        if line != said:
            say(f"{node}: {line}")
            said = line
        if not found.active:
            return _ended(node, found)
        time.sleep(2)


def _ended(node: str, found: unit.Look) -> bool:
    for line in unit.summary(found.document):
        say(line, "green")
    if found.state == "done":
        return True
    for line in found.errors:
        say(line, "red")
    if found.state == "running":
        say(f"the restore of {node} was ended from outside; run the same command again, it goes on", "red")
    elif not found.errors:
        say(f"the restore of {node} did not begin: journalctl -u {unit.unit(node)} on the vault says why", "red")
    else:
        say("what came back stays; once that is mended, run the same command again: it goes on", "red")
    return False
