"""What bootstrap.py has just read in Prepare is not read again in Execute; what is older, or was unknown, is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import THERE, WAYS, Node, Vault, vault
from rebuild_world import live, node_spec, pool, record

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.restore.job import Asks
from blackstart.vault.records import VaultReading
from operations import bootstrap, verdict
from operations import live as live_operations
from operations import record as record_operations


class Asked(Node):
    """Counts how often it is read; nothing of it is unknown."""

    def __init__(self) -> None:
        found = live(pools=(pool(),), datasets=THERE)
        empty = {each.name: ABSENT for each in fields(Live) if isinstance(getattr(found, each.name), Unknown)}
        super().__init__(replace(found, **empty))
        self.reads = 0

    def get_fact(self, fact: Any, **arguments: Any) -> Live:
        self.reads += 1
        return super().get_fact(fact, **arguments)


class AskedVault(Vault):
    reads = 0

    def get_fact(self, fact: Any, **arguments: Any) -> VaultReading:
        self.reads += 1
        return super().get_fact(fact, **arguments)


class World:
    def __init__(self) -> None:
        self.node, self.vault = Asked(), AskedVault(vault(Present(record())).reading)

    def run(self, executing: bool) -> None:
        state = SimpleNamespace(is_executing=executing, inventory=SimpleNamespace(get_host=lambda name: self.vault))
        with ctx_state.use(state), ctx_host.use(self.node):
            assert list(bootstrap.bootstrap._inner(node_spec(), Asks(), WAYS)) == []

    @property
    def reads(self) -> tuple[int, int]:
        return self.node.reads, self.vault.reads


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for module, name in ((live_operations, "_kept"), (record_operations, "_kept"), (verdict, "_said")):
        monkeypatch.setattr(module, name, {})
    return World()


def test_a_run_without_a_question_in_between_reads_each_machine_once(world: World) -> None:
    world.run(executing=False)
    world.run(executing=True)
    assert world.reads == (1, 1)


def late(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    now = live_operations.time.monotonic()
    monkeypatch.setattr(live_operations.time, "monotonic", lambda: now + live_operations.YOUNG + 1)


def unread(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    kept = live_operations._kept["node1", False]
    kept.live = replace(kept.live, disks=Unknown("a timeout"))
    found = record_operations._kept["vault1", False]
    record_operations._kept["vault1", False] = replace(found, replicas=Unknown("a timeout"))


def written(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """By the run of another node."""
    state: Any = SimpleNamespace(is_executing=True)
    with ctx_state.use(state):
        record_operations.rewritten("vault1")
    live_operations._kept.clear()


@pytest.mark.parametrize("event", [late, unread, written])
def test_what_is_old_or_unknown_or_written_since_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch, event: Callable[[pytest.MonkeyPatch, World], None]
) -> None:
    world.run(executing=False)
    event(monkeypatch, world)
    world.run(executing=True)
    assert world.reads == (2, 2)


def test_a_node_is_read_while_its_vault_is_asked_and_both_after_the_signs_of_its_locks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    node_is_read = threading.Event()
    of_node, of_vault, run = world.node.get_fact, world.vault.get_fact, world.vault.run_shell_command

    def read_node(*asked: Any, **more: Any) -> Live:
        order.append("node")
        node_is_read.set()
        return of_node(*asked, **more)

    def read_vault(*asked: Any, **more: Any) -> VaultReading:
        assert node_is_read.wait(30)  # as long as the vault takes, the node does not wait for it
        order.append("vault")
        return of_vault(*asked, **more)

    def sign(*asked: Any, **more: Any) -> tuple[bool, Any]:
        order.append("sign")
        return run(*asked, **more)

    monkeypatch.setattr(world.node, "get_fact", read_node)
    monkeypatch.setattr(world.vault, "get_fact", read_vault)
    monkeypatch.setattr(world.vault, "run_shell_command", sign)
    world.run(executing=True)
    assert order == ["sign", "node", "vault"] and world.reads == (1, 1)


@pytest.mark.parametrize(("later", "reads"), [(1, 1), (live_operations.YOUNG + 1, 2)])
def test_disks_are_not_looked_at_again_where_that_was_just_done(
    world: World, monkeypatch: pytest.MonkeyPatch, later: float, reads: int
) -> None:
    state = SimpleNamespace(is_executing=True)
    with ctx_state.use(state), ctx_host.use(world.node):
        live_operations.live(Wanted())
        now = live_operations.time.monotonic()
        monkeypatch.setattr(live_operations.time, "monotonic", lambda: now + later)
        live_operations.only_young("disks")
        live_operations.live(Wanted(), "disks")
    assert world.node.reads == reads


@pytest.mark.parametrize(("applied", "reads"), [(Wanted(), 1), (Wanted(sysctl={"vm.swappiness": "10"}), 2)])
def test_what_was_read_ahead_counts_where_it_is_what_is_asked_for(world: World, applied: Wanted, reads: int) -> None:
    state = SimpleNamespace(is_executing=True)
    with ctx_state.use(state), ctx_host.use(world.node):
        live_operations.ahead(Wanted())
        for _ in range(2):
            assert live_operations.live(applied) == world.node.reading
        assert world.node.reads == reads
