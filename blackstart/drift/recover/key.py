"""Does each encrypted dataset's key lie where the spec says, and does it open the dataset? Pure.

Keys are on the machines that people work at. A check that runs on a vault has none: it goes by the last proof that such
a machine left on the vaults.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.live.model import KeyTried
from blackstart.reading import Present, Unknown
from blackstart.spec.node import Encryption
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.fitness import Proof
from blackstart.vault.freshness import AHEAD

VALID = 30 * 86400  # seconds for which a proof counts: keys get lost on machines that nobody looks at


def keys(about: About) -> Iterator[Finding]:
    """One finding for each key that was not proven now, nor lately."""
    for item in wanted_datasets(about.spec):
        if item.encryption:
            yield from _one(about, item.name, item.encryption)


def _one(about: About, name: str, encryption: Encryption) -> Iterator[Finding]:
    tried = _tried(about, name)
    if tried.state == "refused":
        why = f"{encryption.key} does not open it: {tried.why}"
        yield about.lacks("key", name, "", why, "bring the key that it was made with, or name where that one is")
    elif tried.state == "missing":
        why = f"its key is not at hand here: {tried.why}"
        yield about.lacks("key", name, "", why, "bring it to where that says; a rebuild from here is refused without")
    elif tried.state != "opens":
        proof = last_proof(about, name)
        if proof is None or not 0 <= about.case.now + AHEAD - proof.at <= VALID + AHEAD:
            said = f"last proven on {_day(proof.at)} by {proof.by}" if proof else "no proof of it is noted"
            then = f"{shell('blackstart', 'runbook', about.node)}, on a machine that has it"
            yield about.unread("key", name, "", f"{tried.why}; {said}", then)


def _tried(about: About, name: str) -> KeyTried:
    if isinstance(about.live.keys, Present):
        return about.live.keys.value.get(name, KeyTried("untried", "it was not tried"))
    return KeyTried("untried", about.live.keys.why if isinstance(about.live.keys, Unknown) else "it was not tried")


def last_proof(about: About, name: str) -> Proof | None:
    """The newest that a vault has noted of this very dataset; one made anew has another guid, and another key."""
    there = about.live.datasets.value.get(name) if isinstance(about.live.datasets, Present) else None
    proofs = []
    for reading in about.case.vaults.values():
        notes = reading.notes.value.get(about.node) if isinstance(reading.notes, Present) else None
        proof = notes.keys.get(name) if notes else None
        if proof and there and proof.guid == there.guid:
            proofs.append(proof)
    return max(proofs, key=lambda proof: proof.at, default=None)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))
