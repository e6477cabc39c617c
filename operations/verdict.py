"""The verdict over a node, at execute time: from its vaults' records and a reading of the host as it is now."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.moved import stays_behind
from blackstart.reading import Present, Reading
from blackstart.restore.keeper import choose, doubts, keepers, record_on
from blackstart.spec.resolve import NodeSpec
from blackstart.typed import following
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.verdict import Verdict, as_applied, recorded_spec
from blackstart.verdict_datasets import lost, wanted_again
from blackstart.verdict_guard import refuse_apply, render
from blackstart.verdict_self import judged
from blackstart.verdict_shape import bootstrap_command
from operations.common import WIDTH, Commands, not_read, refuse
from operations.live import live
from operations.record import readings


@dataclass(frozen=True, slots=True)
class Known:
    """What the vaults say of a node: the one whose word counts, its record, the readings of all of them."""

    vault: str
    record: Reading[Record]
    readings: Mapping[str, VaultReading]

    def doubts(self, node: str) -> tuple[str, ...]:
        """What the other vaults leave open, one line each."""
        return doubts(self.readings, node, self.vault)

    def signs(self, node: str) -> dict[str, str]:
        """Vault -> the sign of the node's lock there, where it has one (vault/lock.py)."""
        read = {name: found.locks.value for name, found in self.readings.items() if isinstance(found.locks, Present)}
        return {name: signs[node] for name, signs in read.items() if node in signs}


def known(spec: NodeSpec, prefer: str = "") -> Known:
    """Asks every vault that keeps the node; each is read once per phase of a run. `prefer`: the one a person named."""
    found = readings(spec)
    vault, record = choose(found, spec.name, prefer)
    return Known(vault, record, found)


def applied_spec(spec: NodeSpec, about: Known) -> NodeSpec:
    """The spec as last applied, reached as the working tree says; the working tree's where none is recorded."""
    if isinstance(about.record, Present):
        recorded = recorded_spec(about.record.value)
        if isinstance(recorded, Present):
            return as_applied(recorded.value, spec)
    return spec


def verdict(spec: NodeSpec, about: Known, now: Live, disks: Mapping[str, str]) -> Verdict:
    """The verdict, also over a vault that keeps its own record."""
    found = judged(spec, keepers(spec), about.record, now, disks)
    if found.kind == "unknown":
        not_read()
    return found


_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


def say(text: str, colour: str = "cyan") -> None:
    """Lines for the person at the terminal, under the host's name. A command to copy is never broken."""
    for line in text.splitlines():
        start, found, command = line.partition("  next: ")
        line = start + found + following(command)
        whole = len(line) <= WIDTH or line.lstrip().startswith("next:")
        for part in [line] if whole else textwrap.wrap(line, WIDTH, subsequent_indent="    ", **_WORDS):
            host.log_styled(part, fg=colour)


_said: dict[str, str] = {}


def say_once(text: str, colour: str = "cyan") -> None:
    """Before pyinfra's own question (Prepare), and again when it has changed since. Ages alone are no change."""
    same = re.sub(r"\d+ (s|min|h|d)\b", "", text)
    if _said.get(f"{host.name} {text.splitlines()[0]}") != same:
        _said[f"{host.name} {text.splitlines()[0]}"] = same
        say(text, colour)


@operation()
def may_apply(
    spec: NodeSpec, wanted: Wanted, enroll: bool, disks: dict[str, str], nodes: Mapping[str, NodeSpec]
) -> Commands:
    """Refuse this host, and let the others go on, unless it is intact, or new and told to enroll.

    An intact node that lost a dataset is refused as well: to create it empty would bury what the vault has. `nodes`:
    every node of the fleet; data that their specs leave behind is said.
    """
    about = known(spec)
    now = live(wanted)
    found = verdict(spec, about, now, disks)
    refusal = refuse_apply(found, enroll)
    for line in about.doubts(spec.name):
        say_once(line, "yellow")
    if refusal:
        if state.is_executing:
            say(render(replace(found, refusal="", next_command="")), "yellow")
        yield refuse(str(refusal))
        return
    if found.kind == "intact" and isinstance(about.record, Present):
        record = about.record.value
        if record.unfinished:
            say_once(f"{spec.name}: {found.evidence[-1]}: {bootstrap_command(spec.name)}", "yellow")
        for gone in (*lost(record, now), *wanted_again(record, now, wanted.datasets)):
            let_go = shell("blackstart", "retire", f"{spec.name}/{gone.dataset}")
            then = gone.next_command if gone.dataset in wanted.datasets else f"{gone.next_command}, or: {let_go}"
            yield refuse(f"{spec.name}: {gone.why}. Next: {then}")
            return
    for line in stays_behind(spec, nodes, about.readings, now):
        say_once(line, "yellow")


__all__ = ["Known", "applied_spec", "known", "may_apply", "record_on", "say", "say_once", "verdict"]
