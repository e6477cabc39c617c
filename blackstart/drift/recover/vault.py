"""Does each vault answer, does it agree about the node, is it healthy and has it room? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Absent, Present, Unknown
from blackstart.restore.keeper import doubts, record_on
from blackstart.vault.records import VaultReading

# Of 100: said in steps, so that a vault that fills slowly is not a new finding each time it is looked at.
_FREE = (2, 5, 10)


def answers(about: About) -> Iterator[Finding]:
    """Vaults that are silent, and what is wrong with those that are not."""
    for vault, reading in about.case.vaults.items():
        if isinstance(reading.clock, Unknown):
            why = shell("blackstart", "why", vault)
            yield Finding("unknown", about.node, "vault", vault, live=reading.clock.why, remedy=why)
    for vault, reading in about.vaults.items():
        yield from _agrees(about, vault, reading)
        yield from _healthy(about, vault, reading)
        yield from _has_key(about, vault, reading)


def _agrees(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    """One that is not the vault whose word counts: would it do, too?"""
    chosen, record = about.case.vault, record_on(reading, about.node)
    if not chosen or vault == chosen:
        return
    apply = shell("blackstart", "apply", about.node)
    two = {name: about.case.vaults[name] for name in (vault, chosen)}
    if isinstance(record, Unknown):
        yield about.unread("vault", vault, "record", record.why, shell("blackstart", "why", vault))
    elif isinstance(reading.records, Absent) or isinstance(record, Absent):
        yield about.lacks("vault", vault, "record", f"it has no record of {about.node}: it could not stand in", apply)
    elif about.record and record.value.epoch != about.record.epoch:
        why = f"it knows epoch {record.value.epoch}, {chosen} knows {about.record.epoch}: it could not stand in"
        yield about.lacks("vault", vault, "epoch", why, apply)
    else:
        for said in doubts(two, about.node, chosen):
            yield about.lacks("vault", vault, "record", said, shell("blackstart", "why", about.node))


def _healthy(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    if isinstance(reading.room, Unknown):
        yield about.unread("vault", vault, "pool", reading.room.why, shell("blackstart", "why", vault))
        return
    if not isinstance(reading.room, Present):
        return
    room = reading.room.value
    if room.state != "ONLINE" or room.readonly:
        why = f"its pool is {room.state}" if room.state != "ONLINE" else "its pool is imported read-only"
        yield about.lacks("vault", vault, "pool", why, f"zpool status -v on {vault}; zpool-replace(8)", live=room.state)
    free = 100 * room.free / max(1, room.used + room.free)
    step = next((step for step in _FREE if free < step), None)
    if step is not None:
        why = "it is nearly full: replication ends where there is no room left"
        remedy = f"give the pool of {vault} more disks, or keep less (replication.keep)"
        yield about.lacks("vault", vault, "room", why, remedy, live=f"less than {step} % free")


def _has_key(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    """The key that the newborn lets in."""
    if isinstance(reading.keys, Unknown):
        yield about.unread("vault", vault, "keys", reading.keys.why, shell("blackstart", "why", vault))
    elif not isinstance(reading.keys, Present) or "restore" not in reading.keys.value:
        yield about.lacks("vault", vault, "keys", "it has no key to restore with", shell("blackstart", "apply", vault))
