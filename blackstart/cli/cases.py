"""From the fleet's files and its hosts to one case per node: what `drift` and `plan` begin with."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import click

from blackstart.cli import here, look
from blackstart.cli.fleet_hosts import Hosts, require_selection
from blackstart.converge.context import Context, commit_of, read_context
from blackstart.converge.everything import wanted
from blackstart.converge.reader import readers
from blackstart.drift.case import Case, Seen
from blackstart.drift.judge import case_of
from blackstart.live.model import Query
from blackstart.live.query import query_for
from blackstart.progress import progress
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import load_fleet
from blackstart.spec.problem import SpecError
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import certificate
from blackstart.vault.keypair import PURPOSES

# In place of keys that are not known yet: the files that hold them are asked about in the one exec.
_SOME_KEYS = dict.fromkeys((*PURPOSES, certificate.PURPOSE), "-")


@dataclass(frozen=True)
class Wishes:
    """The fleet as it stood at one moment, its files included; what is edited later is not half in it."""

    fleet: Fleet
    folder: Path
    commit: str
    specs: dict[str, NodeSpec] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)


def wishes(fleet: Fleet, folder: Path, nodes: Iterable[str]) -> Wishes:
    """Of the `nodes` named. Raises OSError for a file that a spec names and that cannot be read."""
    every = resolve_all(fleet)
    made = Wishes(fleet, folder, commit_of(folder))
    for name in nodes:
        made.specs[name] = every[name]
        made.contexts[name] = read_context(every[name], every, folder, made.commit, {})
    return made


def selected(fleet: Fleet, words: tuple[str, ...]) -> list[str]:
    """Names of nodes: all of them without words; groups and patterns as `apply` takes them. Raises ClickException."""
    require_selection(fleet, words)
    groups = {"vaults": [name for name, node in fleet.nodes.items() if node.vault], "nodes": list(fleet.nodes)}
    found = {
        name
        for word in words or ("nodes",)
        for name in groups.get(word) or [name for name in fleet.nodes if fnmatchcase(name, word) or word == "all"]
    }
    return [name for name in fleet.nodes if name in found]


def ask(known: Hosts, wishes: Wishes, fit: bool = False) -> dict[str, look.Answer]:
    """Every node of the wishes, and the vaults that keep them, all at once.

    `fit`: also what only a rebuild asks about, with the keys of encrypted datasets; a password manager may ask.
    """
    queries = {}
    keys = {
        name: here.keys(spec, wishes.folder, not known.read_key) if fit else here.Keys()
        for name, spec in wishes.specs.items()
    }
    for name, spec in wishes.specs.items():
        context = wishes.contexts[name]
        vaults = (*readers(spec, context.nodes), *context.nodes.vaults)
        context = replace(context, vault_keys=dict.fromkeys(vaults, _SOME_KEYS))
        queries[name] = replace(query_of(spec, context), keys=tuple(keys[name].found), handmade=fit)
    with progress(f"Asking {len(queries)} nodes and their vaults") if sys.stderr.isatty() else nullcontext():
        return look.look(known, wishes.specs, queries, keys)


def query_of(spec: NodeSpec, context: Context) -> Query:
    """What to ask the node. Raises ClickException where its spec cannot be carried out."""
    try:
        return query_for(wanted(spec, context))
    except ValueError as error:
        raise click.ClickException(f"{spec.name}: {error}; see: blackstart spec check") from None


def cases(wishes: Wishes, seen: Seen, now: int) -> list[Case]:
    """Each node's case. Raises ClickException where its spec cannot be carried out."""
    try:
        return [case_of(spec, seen, wishes.contexts[name], now, here.own_tool()) for name, spec in wishes.specs.items()]
    except ValueError as error:
        raise click.ClickException(f"{error}; see: blackstart spec check") from None


def changed_meanwhile(wishes: Wishes) -> tuple[str, ...]:
    """One sentence where the fleet's files are not any more what was judged."""
    try:
        same = load_fleet(wishes.folder) == wishes.fleet and wishes.contexts == {
            name: read_context(spec, wishes.contexts[name].nodes, wishes.folder, wishes.commit, {})
            for name, spec in wishes.specs.items()
        }
    except (SpecError, OSError):
        same = False
    return () if same else ("the fleet's files changed while this ran; it goes by what they said before",)
