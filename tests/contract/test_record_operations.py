"""What the vaults are told of a node that was changed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import Go
from rebuild_world import (
    live,
    node_spec,
    pool,
    record,
)

from blackstart.converge.wanted import Wanted
from blackstart.reading import ABSENT, Present
from blackstart.vault.records import VaultReading, unknown
from operations import record as record_operations


@pytest.mark.parametrize(("others", "epoch"), [((), 1), ((3,), 3)])
def test_a_vault_that_joins_later_begins_at_the_epoch_the_node_has(
    go: Go, monkeypatch: pytest.MonkeyPatch, others: tuple[int, ...], epoch: int
) -> None:
    def knows(found: dict[str, Any]) -> VaultReading:
        return replace(unknown("not asked"), records=Present(found))

    fresh = {"vault9": knows({})}
    known = {f"vault{at}": knows({"node1": Present(record(epoch=each))}) for at, each in enumerate(others)}
    monkeypatch.setattr(record_operations, "readings", lambda spec: fresh | known)
    arguments = {"wanted": Wanted(), "spec": node_spec(), "commit": "abc123", "by": "ops"}
    commands, _ = go(record_operations.recorded, live(pools=(pool(),)), ABSENT, **arguments)
    said = {command.args[0]: json.loads(command.args[2])["patch"] for command in commands}
    assert said["vault9"]["epoch"] == epoch
    assert set(said) == {"vault9"}


def test_a_vault_that_was_away_during_a_rebuild_learns_the_epoch(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"old": record(epoch=1), "new": record(epoch=2)}
    found = {
        name: replace(unknown("not asked"), records=Present({"node1": Present(each)})) for name, each in both.items()
    }
    monkeypatch.setattr(record_operations, "readings", lambda spec: found)
    arguments = {"wanted": Wanted(), "spec": node_spec(), "commit": "abc123", "by": "ops"}
    commands, _ = go(record_operations.recorded, live(pools=(pool(),)), ABSENT, **arguments)
    assert [(c.args[0], json.loads(c.args[2])["patch"]["epoch"]) for c in commands] == [("old", 2)]


def test_all_vaults_are_asked_at_once_and_answer_for_the_host_that_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    both, asking = Barrier(2), []

    def ask(name: str, fact: Any, **words: Any) -> VaultReading:
        both.wait(10)  # broken where the second is asked after the first has answered
        asking.append(ctx_host.get().name)
        return unknown(f"{name} says so")

    monkeypatch.setattr(record_operations, "_asked", ask)
    monkeypatch.setattr(record_operations, "keepers", lambda spec: {"vault1": "tank", "vault2": "tank"})
    with ctx_state.use(SimpleNamespace(is_executing=True)), ctx_host.use(SimpleNamespace(name="node1")):
        found = record_operations.readings(node_spec())
    assert found == {"vault1": unknown("vault1 says so"), "vault2": unknown("vault2 says so")}
    assert asking == ["node1", "node1"]


def test_what_asking_one_vault_raised_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(name: str, fact: Any, **words: Any) -> VaultReading:
        if name == "vault1":
            raise ValueError("an odd answer")
        return unknown("")

    monkeypatch.setattr(record_operations, "_asked", ask)
    monkeypatch.setattr(record_operations, "keepers", lambda spec: {"vault1": "tank", "vault2": "tank"})
    with ctx_state.use(SimpleNamespace(is_executing=True)), pytest.raises(ValueError, match="an odd answer"):
        record_operations.readings(node_spec())


def test_the_keys_of_a_vault_that_was_read_are_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(unknown("not asked"), keys=Present({"restore": "ssh-ed25519 AAAA"}))
    monkeypatch.setattr(record_operations, "_kept", {("vault1", True): known})
    with ctx_state.use(SimpleNamespace(is_executing=True)):
        found = record_operations.vault_keys(node_spec(), ("vault1",))
    assert found == {"vault1": {"restore": "ssh-ed25519 AAAA"}}
