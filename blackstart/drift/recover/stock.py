"""Have the vaults what containers and host are made of: images and releases by digest, Debian packages? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.converge.vault import VAULT_PACKAGES, needed
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Absent, Present, Unknown
from blackstart.vault.records import VaultReading
from blackstart.vault.stock import of_node

_SHOWN = 5


def supplies(about: About) -> Iterator[Finding]:
    """Of what is not even locked, then vault by vault."""
    yield from _unlocked(about)
    for vault, reading in about.vaults.items():
        yield from _by_digest(about, vault, reading)
        yield from _packages(about, vault, reading)


def _unlocked(about: About) -> Iterator[Finding]:
    lock, containers = about.spec.lock, about.spec.containers.values()
    for image in sorted({each.image for each in containers} - set(lock.images)):
        why = "lock.toml names no digest of it: no root can be made of it"
        yield about.lacks("image", image, "", why, shell("blackstart", "image", "build", image))
    for project in sorted({service.project for each in containers for service in each.services} - set(lock.projects)):
        why = "lock.toml names no digest of it: its services cannot be brought"
        yield about.lacks("project", project, "", why, shell("blackstart", "project", "lock", project))


def _by_digest(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    if isinstance(reading.stock, Unknown):
        yield about.unread("stock", vault, "", reading.stock.why, shell("blackstart", "why", vault))
        return
    have = reading.stock.value if isinstance(reading.stock, Present) else ()
    for item in of_node(about.spec):
        if item.file not in have:
            why = f"{vault} does not have it (sha256:{item.sha256[:12]}…): only a machine that does can supply it"
            yield about.lacks(item.kind, item.name, f"on {vault}", why, shell("blackstart", "apply", about.node))


def _packages(about: About, vault: str, reading: VaultReading) -> Iterator[Finding]:
    if isinstance(reading.packages, Unknown):
        yield about.unread("package", vault, "kept", reading.packages.why, shell("blackstart", "why", vault))
        return
    have = {} if isinstance(reading.packages, Absent) else reading.packages.value
    wanted = needed({about.node: about.spec}) | set(VAULT_PACKAGES if about.spec.node.vault else ())
    missing = sorted(name for name in wanted if not have.get(name))
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        shown = ", ".join(missing[:_SHOWN])
        why = f"{vault} does not keep {shown}{more}: a new host gets that from a mirror or not at all"
        remedy = f"systemctl start blackstart-packages on {vault}, while it reaches a mirror that has them"
        yield about.lacks("package", vault, "kept", why, remedy)
