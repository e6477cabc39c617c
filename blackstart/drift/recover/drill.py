"""Was what each vault holds brought to life there lately, as often as the spec asks, and was it good? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Present, Unknown
from blackstart.spec.types import format_duration
from blackstart.vault.fitness import Drilled
from blackstart.vault.freshness import AHEAD
from blackstart.vault.records import VaultReading

_SHOWN = 3


def drills(about: About) -> Iterator[Finding]:
    """Vault by vault, where the spec asks for drills. The fleet's own word counts: drills are the vault's business."""
    every = about.case.spec.replication.drill
    for vault, reading in about.vaults.items() if every else ():
        if every and vault in about.case.spec.vaults:
            yield from _one(about, vault, reading, every)


def _one(about: About, vault: str, reading: VaultReading, every: int) -> Iterator[Finding]:
    then = shell("blackstart", "drill", about.node, "--vault", vault)
    if isinstance(reading.notes, Unknown):
        yield about.unread("drill", about.node, f"on {vault}", reading.notes.why, shell("blackstart", "why", vault))
        return
    if not isinstance(reading.notes, Present) or not isinstance(reading.clock, Present):
        return  # not asked
    notes = reading.notes.value.get(about.node)
    last, now = notes.drill if notes else None, reading.clock.value
    field, limit = f"on {vault}", format_duration(every)
    if last is None:
        why = f"no drill of it was ever played there; the spec wants a good one in {limit}"
        yield about.lacks("drill", about.node, field, why, then)
    elif last.at > now + AHEAD:
        why = "its last drill is from the future by the vault's clock: how old it is, nobody knows"
        yield about.unread("drill", about.node, field, why, then)
    elif last.verdict == "failed":
        yield about.lacks("drill", about.node, field, f"its last drill failed: {_said(last)}", then)
    elif now - last.at > every:
        why = f"its last good drill is older than the {limit} that the spec allows"
        yield about.lacks("drill", about.node, field, why, then)
    elif last.verdict != "passed" and not (notes and notes.passed and 0 <= now + AHEAD - notes.passed.at <= every):
        why = f"its last drill could not look at all of it: {_said(last)}"
        yield about.unread("drill", about.node, field, why, f"{then} --keys, on a machine that has its keys")


def _said(last: Drilled) -> str:
    more = f"; and {len(last.why) - _SHOWN} more" if len(last.why) > _SHOWN else ""
    return "; ".join(last.why[:_SHOWN]) + more
