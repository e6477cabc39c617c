"""What `diff(spec, reading)` yields and `commands(change)` turns into shell commands, for every resource."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "create",  # not there, the spec wants it
    "update",  # there, differs in `field`; a command exists that changes it
    "report",  # differs, but no deploy may change it (one-time property, size of a disk ...)
    "unmanaged",  # there, not in the spec: said, never touched
    "unknown",  # could not be read: `live` is the reason; creates and destroys nothing
]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between spec and live state.

    `resource` is the module's name (pool, dataset, container ...), `name` the thing's own name (`tank/data/crm`),
    `field` what differs ("" for the whole thing). `spec` and `live` are printable; `live` holds the reason where
    the action is "unknown".
    """

    resource: str
    name: str
    field: str
    spec: str
    live: str
    action: Action

    @property
    def is_drift(self) -> bool:
        """Unmanaged things are a class of their own, and what could not be read is not drift."""
        return self.action in ("create", "update", "report")

    def __str__(self) -> str:
        what = f"{self.resource} {self.name}" + (f" {self.field}" if self.field else "")
        if self.action == "unknown":
            return f"{what}: could not be read: {self.live}"
        if self.action == "unmanaged":
            return f"{what}: not in the spec, left alone"
        if self.action == "create":
            return f"{what}: missing" + (f", to be made of {self.spec}" if self.spec else "")
        return f"{what}: is {self.live or 'unset'}, spec says {self.spec or 'unset'}"


def shell(*words: str) -> str:
    """One POSIX shell command from words, each quoted. The only way a name or value gets into a command."""
    return shlex.join(words)
