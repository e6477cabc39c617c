"""All questions together, and what their answers come to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from blackstart.drift.case import Case
from blackstart.drift.finding import Finding
from blackstart.drift.recover import chain, drill, files, key, layout, replica, spec, stock, tool, unprotected, vault
from blackstart.drift.recover.about import About, about

Standing = Literal[
    "recoverable",
    "not recoverable",  # something would fail, or be lost
    "unknown",  # nothing of that kind was found, but not all could be looked at
]

_OF_VAULTS: tuple[Callable[[About], Iterator[Finding]], ...] = (
    vault.answers,
    layout.recorded,
    replica.replicas,
    drill.drills,
    key.keys,
    stock.supplies,
    spec.committed,
    tool.versions,
)
# These look at the node itself; where it gave no reading that is said once.
_OF_NODE: tuple[Callable[[About], Iterator[Finding]], ...] = (
    layout.verdict,
    layout.members,
    layout.lost_datasets,
    chain.chains,
    files.handmade,
    unprotected.unprotected,
)


def recoverability(case: Case) -> list[Finding]:
    """What a rebuild would fail on or lose, if the node died now; and what nobody can tell."""
    known = about(case)
    found = [finding for question in _OF_VAULTS for finding in question(known)]
    if known.silent:
        return [*found, *known.silent]
    return found + [finding for question in _OF_NODE for finding in question(known)]


def standing(findings: Iterable[Finding]) -> Standing:
    """What the findings of one node come to. A waived loss is one that somebody answers for."""
    found = list(findings)
    if any(each.kind == "recoverability" and not each.waiver for each in found):
        return "not recoverable"
    return "unknown" if any(each.kind == "unknown" for each in found) else "recoverable"
