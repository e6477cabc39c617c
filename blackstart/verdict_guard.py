"""What a verdict allows: the guards of bootstrap.py and site.py, and how a verdict is shown. Pure."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from blackstart.change import shell
from blackstart.verdict import Verdict, bootstrap_command

# Ids and paths are copied: folded between words only.
_WORDS: dict[str, Any] = {"subsequent_indent": "    ", "break_long_words": False, "break_on_hyphens": False}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host is left alone (one sentence), and the next command to type."""

    node: str
    why: str
    next_command: str

    def __str__(self) -> str:
        return f"{self.node}: {self.why}. Next: {self.next_command}"


def refuse_bootstrap(verdict: Verdict) -> Refusal | None:
    """None when bootstrap may go on: the node is intact, or can be resumed, imported or made again."""
    if verdict.refusal:
        return Refusal(verdict.node, verdict.refusal, verdict.next_command)
    if verdict.kind in ("intact", "resuming", "importable", "blank"):
        return None
    why = f"{verdict.evidence[0]}: the first provisioning is site.py's"
    return Refusal(verdict.node, why, enroll_command(verdict.node))


def refuse_apply(verdict: Verdict, enroll: bool = False) -> Refusal | None:
    """None when site.py may go on: the node is intact, or new and told to enroll. It never fills in for a lost one."""
    if verdict.refusal:
        return Refusal(verdict.node, verdict.refusal, verdict.next_command)
    if verdict.kind == "intact" or (verdict.kind == "new" and enroll):
        return None
    if verdict.kind == "new":
        return Refusal(verdict.node, f"{verdict.evidence[0]}: tell me to enroll it", enroll_command(verdict.node))
    said = {
        "blank": "it is enrolled and its pool is gone: it was lost, and has to be rebuilt",
        "importable": "its pool is on the disks but not imported: the system was lost, the data was not",
        "resuming": "its rebuild is not finished",
    }
    return Refusal(verdict.node, said[verdict.kind], bootstrap_command(verdict.node))


def enroll_command(node: str) -> str:
    return shell("pyinfra", "inventory", "deploys/site.py", "--limit", node, "--data", "enroll=yes")


def render(verdict: Verdict, width: int = 66) -> str:
    """The verdict for people: its name, the evidence, what is refused and what to type.

    pyinfra puts the host's name in front of each line: together they fit 80 columns.
    """
    lines = [f"{verdict.node}: {verdict.kind}"]
    for said in dict.fromkeys(verdict.evidence):
        lines += textwrap.wrap(said, width - 4, initial_indent="  - ", **_WORDS)
    if verdict.disks:
        lines += [f"  - {old} is replaced by {new}" for old, new in verdict.disks.items()]
    for name in verdict.degraded:
        lines.append(f"  - pool {name} is DEGRADED: replace the missing leg by hand, see zpool-replace(8)")
    if verdict.refusal and verdict.refusal not in verdict.evidence:
        lines += textwrap.wrap(f"refused: {verdict.refusal}", width - 2, initial_indent="  ", **_WORDS)
    if verdict.next_command:
        lines.append(f"  next: {verdict.next_command}")  # never wrapped: it is copied
    return "\n".join(lines)
