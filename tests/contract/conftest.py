"""The operations of bootstrap.py, run over given readings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import Go, Node, vault
from converge_world import wishes
from node_world import Host, Run, texts

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Reading
from blackstart.vault.record import Record
from operations import held, vault_shell, verdict
from operations import live as live_operations
from operations import record as record_operations

KEPT: tuple[Any, ...] = (
    held.locks,
    live_operations._ahead,
    live_operations._kept,
    record_operations._away,
    record_operations._keys,
    record_operations._kept,
    record_operations._met,
    record_operations.behind,
    vault_shell._beside,
    verdict._said,
)


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    """What one run learnt of its vaults is nothing to the next test's."""
    yield
    for kept in KEPT:
        kept.clear()


@pytest.fixture
def go() -> Iterator[Go]:
    def clear() -> None:
        live_operations._kept.clear()
        record_operations._kept.clear()
        verdict._said.clear()

    def run(
        operation: Any, reading: Live, known: Reading[Record], *arguments: Any, **more: Any
    ) -> tuple[list[Any], list[str]]:
        clear()
        node, keeper = Node(reading), vault(known)
        inventory = SimpleNamespace(get_host=lambda name: keeper)
        state = SimpleNamespace(is_executing=True, inventory=inventory)
        with ctx_state.use(state), ctx_host.use(node):
            return texts(operation._inner(*arguments, **more)), node.said

    yield run
    clear()


@pytest.fixture
def run() -> Iterator[Run]:
    live_operations._kept.clear()

    def one(
        host: Host, operation: Any, executing: bool = True, wanted: Wanted | None = None, **arguments: Any
    ) -> list[Any]:
        inventory = SimpleNamespace(get_host=lambda name: host)
        with ctx_state.use(SimpleNamespace(is_executing=executing, inventory=inventory)), ctx_host.use(host):
            return texts(operation._inner(wanted=wanted or wishes(), **arguments))

    yield one
    live_operations._kept.clear()
