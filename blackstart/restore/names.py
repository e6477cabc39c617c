"""Where a restore's things lie on the node, and what they are called."""

from __future__ import annotations

import time

from blackstart.vault import layout

FOLDER = f"{layout.STATE}/restore"
STEPS = f"{FOLDER}/steps"
KEYS = "/run/blackstart/keys"  # memory
GATE = f"{layout.LIBEXEC}/restore-gate"
DISPATCHER = f"{layout.LIBEXEC}/restore-step"
SUDOERS = "/etc/sudoers.d/blackstart-restore"
HOME = layout.home(layout.RESTORE)
AUTHORIZED_KEYS = f"{HOME}/.ssh/authorized_keys"


def parent(pool: str) -> str:
    return f"{pool}/.restore"


def landing(dataset: str, guid: str) -> str:
    """Where a snapshot of `dataset` is received. The guid makes it the place of this very snapshot and no other."""
    return f"{parent(dataset.split('/')[0])}/{dataset.rsplit('/', 1)[1]}-{guid}"


def step(verb: str, dataset: str, guid: str) -> str:
    """A step's name, which is also its file's: `cutover-crm-9000123`."""
    return f"{verb}-{dataset.rsplit('/', 1)[1].replace(':', '.')}-{guid}"


def aside_suffix(now: int) -> str:
    return time.strftime(".aside-%Y%m%dT%H%M%SZ", time.gmtime(now))


def key_file(dataset: str) -> str:
    """The dataset's key on the node, in memory. `/` cannot stand in a file's name, `+` not in a dataset's."""
    return f"{KEYS}/{dataset.replace('/', '+')}"
