"""Is the spec committed, and is that commit on the vaults? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Present, Unknown
from blackstart.vault.records import VaultReading


def committed(about: About) -> Iterator[Finding]:
    """Of what was applied last, and of wishes since then. The record holds the spec itself, not the files it names."""
    applied = about.record.applied if about.record else None
    if applied is None:
        return  # not known, or said of the record
    yield from _commit(about, "applied", applied.commit, "what was applied last")
    if applied.digest != about.case.spec.digest():
        yield from _commit(about, "working", about.case.commit, "the spec as it is here, not applied yet,")


def _commit(about: About, field: str, commit: str, what: str) -> Iterator[Finding]:
    then = f"commit it, then {shell('blackstart', 'apply', about.node)}"
    if not commit:
        why = f"{what} is in no git repository: no vault gets its templates and files"
        yield about.lacks("spec", about.node, field, why, f"git init in the fleet's folder; {then}")
    elif commit.endswith("-dirty"):
        why = f"{what} has changes that are in no commit: no vault has those"
        yield about.lacks("spec", about.node, field, why, then, live=commit)
    else:
        for vault, reading in about.vaults.items():
            yield from _on_vault(about, field, commit, what, vault, reading)


def _on_vault(about: About, field: str, commit: str, what: str, vault: str, reading: VaultReading) -> Iterator[Finding]:
    where = f"{field} on {vault}"
    if isinstance(reading.commits, Unknown):
        yield about.unread("spec", about.node, where, reading.commits.why, shell("blackstart", "why", vault))
    elif not isinstance(reading.commits, Present) or commit not in reading.commits.value:
        why = f"{what} is commit {commit[:12]}, which {vault} does not have"
        yield about.lacks("spec", about.node, where, why, shell("blackstart", "apply", about.node), live=commit)
