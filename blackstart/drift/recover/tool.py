"""Have the vaults the tool, in the version that is used here, and what it needs to run? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Absent, Present, Unknown
from blackstart.vault.libraries import CANNOT
from blackstart.vault.records import VaultReading


def versions(about: About) -> Iterator[Finding]:
    """A restore is carried out by the vault's own copy."""
    own = about.case.tool
    if isinstance(own, Unknown):
        yield about.unread("tool", about.node, "", own.why, shell("blackstart", "drift", about.node))
    for vault, reading in about.vaults.items():
        yield from _on_vault(about, vault, reading)


def _on_vault(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    own, found = about.case.tool, reading.tool
    apply, why = shell("blackstart", "apply", vault), shell("blackstart", "why", vault)
    if isinstance(found, Unknown):
        yield about.unread("tool", vault, "version", found.why, why)
    elif isinstance(found, Absent):
        yield about.lacks("tool", vault, "version", "it is not there: nothing could be restored from that vault", apply)
    elif isinstance(own, Present) and found.value != own.value.version:
        said = f"a restore would run version {found.value}, and not {own.value.version}, which is used here"
        yield about.lacks("tool", vault, "version", said, apply, live=found.value)
    elif isinstance(reading.libraries, Unknown):
        yield about.unread("tool", vault, "libraries", reading.libraries.why, why)
    elif isinstance(own, Present) and own.value.libraries not in _libraries(reading):
        remedy = "pyinfra inventory deploys/vault.py, on a machine that reaches a package index"
        yield about.lacks("tool", vault, "libraries", f"they are not there: {CANNOT}", remedy)


def _libraries(reading: VaultReading) -> tuple[str, ...]:
    return reading.libraries.value if isinstance(reading.libraries, Present) else ()
