"""Is there anything on the node that nobody keeps a copy of, and no reason says why? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import DERIVED, wanted_datasets

# Below each pool: what the tool makes there again by itself, or was put aside by a person's word.
_ASIDE = ("images", ".restore", "retired")


def unprotected(about: About) -> Iterator[Finding]:
    """What the spec leaves out without a word, and what it does not know of."""
    yield from _without_reason(about)
    yield from _datasets(about)
    yield from _containers(about)


def _without_reason(about: About) -> Iterator[Finding]:
    for item in wanted_datasets(about.spec):
        if not item.replicate and not item.reason and item.kind not in DERIVED:
            why = "it is not replicated, and no reason says why"
            yield about.lacks("dataset", item.name, "unprotected", why, "give a `reason`, or let it be replicated")


def _datasets(about: About) -> Iterator[Finding]:
    found = about.live.datasets
    if isinstance(found, Unknown):
        yield about.unread("dataset", about.node, "unprotected", found.why)
    if not isinstance(found, Present):
        return
    known = {item.name for spec in (about.spec, about.case.spec) for item in wanted_datasets(spec)}
    pools = {**about.spec.node.pools, **about.case.spec.node.pools}
    for name in sorted(found.value):
        pool, slash, rest = name.partition("/")
        if not slash and pool not in pools:
            why = "no spec knows this pool: nothing keeps a copy of what is on it"
            yield about.lacks("pool", pool, "unprotected", why, f"describe it in nodes/{about.node}.toml, or waive it")
        elif slash and pool in pools and name not in known and not _is_aside(about, pool, rest):
            why = "no spec knows it: nothing keeps a copy of it"
            retire = shell("blackstart", "retire", f"{about.node}/{name}")
            yield about.lacks("dataset", name, "unprotected", why, f"describe it in the spec, or {retire}")


def _is_aside(about: About, pool: str, rest: str) -> bool:
    vault = about.case.spec.node.vault
    own = (*_ASIDE, "vault") if vault and vault.pool == pool else _ASIDE
    return rest.split("/")[0] in own or ".aside-" in rest


def _containers(about: About) -> Iterator[Finding]:
    found = about.live.containers
    if isinstance(found, Unknown):
        yield about.unread("container", about.node, "unprotected", found.why)
    if isinstance(found, Present):
        for name in sorted(set(found.value) - {*about.spec.containers, *about.case.spec.containers}):
            why = "no spec knows it: neither it nor its data would come back"
            retire = shell("blackstart", "retire", f"{about.node}/{name}")
            yield about.lacks("container", name, "unprotected", why, f"describe it in the spec, or {retire}")
