"""What the vaults are told of a node that was changed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

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
