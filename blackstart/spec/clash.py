"""Things that may exist only once: finding the second one, and naming both sides."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from blackstart.spec.node import Node
from blackstart.spec.problem import Key, Problem, show_key


@dataclass(frozen=True, slots=True)
class Use:
    """One place that uses a `value`. `what` reads like "the address 10.20.0.11"; `hint` ends the sentence."""

    value: Hashable
    what: str
    file: str
    key: Key
    hint: str = ""

    @property
    def place(self) -> str:
        return f"{self.file} ({show_key(self.key)})" if self.key else self.file


def clashes(uses: Iterable[Use]) -> Iterator[Problem]:
    """A problem for each use of a value that another place uses already."""
    first: dict[Hashable, Use] = {}
    for use in uses:
        other = first.setdefault(use.value, use)
        if other is not use:
            yield Problem(use.file, use.key, f"{use.what} is taken by {other.place} already{use.hint}")


def node_file(name: str) -> str:
    return f"nodes/{name}.toml"


def container_file(name: str) -> str:
    return f"containers/{name}.toml"


def replication_file(node: Node, name: str, *keys: str) -> str:
    """The file that says one of these keys of the node's replication: its own, or else the fleet's."""
    own = node.replication.model_fields_set if node.replication else ()
    return node_file(name) if set(keys) & set(own) else "fleet.toml"
