"""What a look at the fleet yields: findings, and the report that holds them. Pure data, shared by all of drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "drift",  # spec and live state differ
    "unmanaged",  # there, and not in the spec
    "unknown",  # could not be read: `live` is the reason; is no drift, and is not clean either
    "recoverability",  # a rebuild would fail, or would lose something: `reason` says what
]
Cause = Literal[
    "",  # not known, or not a question of cause
    "spec ahead",  # live is as last applied: the spec's new wish was not deployed yet
    "host changed",  # the spec wants what it wanted when it was last applied: somebody touched the host
    "both",  # neither spec nor host is as it was last applied
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or that could not be looked at.

    `resource`, `name`, `field`: as in `blackstart.change.Change`. `spec` and `live` are printable.
    """

    kind: Kind
    node: str
    resource: str
    name: str
    field: str = ""
    spec: str = ""
    live: str = ""
    cause: Cause = ""
    reason: str = ""  # recoverability: what a rebuild would fail on, or lose; one clause
    remedy: str = ""  # the next command, or act, in one line
    waiver: str = ""  # "OWNER until DATE: REASON" while a waiver covers it; an expired waiver is none

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes it the same finding at the next look; the other fields may change meanwhile."""
        return (self.node, self.kind, self.resource, self.name, self.field)

    @property
    def counts(self) -> bool:
        """Whether it makes a run end with 2: drift of any class that nobody has waived."""
        return self.kind in ("drift", "recoverability", "unmanaged") and not self.waiver


@dataclass(frozen=True, slots=True)
class Report:
    """One look at some nodes.

    `at`: node -> when it was read (seconds since 1970, by the reader's clock), None: its reading does not say. A node
    that gave no reading is in it, too. `waivers`: one sentence for each waiver that has expired or covers nothing.
    """

    at: dict[str, int | None]
    findings: tuple[Finding, ...]
    waivers: tuple[str, ...] = ()
    commit: str = ""  # of the fleet, "-dirty" behind it where files differ from it
    tool: str = ""  # this tool's version
    notes: tuple[str, ...] = ()  # what the reader of the report should know, and is no finding

    @property
    def exit_code(self) -> int:
        """0 clean, 2 drift, 3 something could not be read (whatever else was found)."""
        return exit_code(self.findings)


def exit_code(findings: Iterable[Finding]) -> int:
    """0, 2 or 3, as `Report.exit_code`. What could not be read never counts as clean, waived or not."""
    found = list(findings)
    if any(each.kind == "unknown" for each in found):
        return 3
    return 2 if any(each.counts for each in found) else 0


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """A stable order that does not depend on which host answered first."""
    return tuple(sorted(set(findings), key=lambda each: (*each.key, each.spec, each.live, each.reason)))
