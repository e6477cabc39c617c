"""What a vault writes down of a rebuild while the node is worked on, and what waits for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.context import host as current

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import WAYS, Go, Node, job
from rebuild_world import OTHER, live, node_spec, pool, rebuild, record

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.restore.job import Asks
from operations import bootstrap, restore
from operations import live as live_operations
from operations import rebuild as rebuild_operations
from operations.host_shell import ShellError

BEGUN = record(rebuild=rebuild(2))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the vault was given to write, in order."""
    found: list[Any] = []

    def write_beside(vault: str, node: str, command: str, stdin: str, taken: Any, otherwise: str) -> None:
        found.append((vault, node, json.loads(stdin)))

    for module in (rebuild_operations, restore):
        monkeypatch.setattr(module, "write_beside", write_beside)
    return found


def not_written(node: str) -> None:
    raise ShellError("the pools' guids were not written down: vault1: no space left on device")


def test_the_rebuild_is_opened_with_what_the_next_run_needs(go: Go, asked: list[Any]) -> None:
    before = job(live(), record(), go)
    assert go(rebuild_operations.opened, live(), Present(record()), before) == ([], [])
    said = {"do": "open", "epoch": 2, "by": "ops@laptop", "disks": {}, "host_key": before.spec.node.host_key}
    assert asked == [("vault1", "node1", said)]


def test_the_guids_of_all_pools_are_written_down_or_none(go: Go, asked: list[Any]) -> None:
    before = job(live(), BEGUN, go)
    (command,) = go(rebuild_operations.journalled, live(), Present(BEGUN), before)[0]
    assert "were not written down: not every pool is there" in command and asked == []
    assert go(rebuild_operations.journalled, live(pools=(pool(OTHER, 2),)), Present(BEGUN), before)[0] == []
    assert asked == [("vault1", "node1", {"do": "made", "pools": {"tank": OTHER}})]


def test_without_them_the_vault_gets_no_plan(go: Go, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before, node, state = job(live(), BEGUN, go), Node(live()), SimpleNamespace()
    plan: Any = SimpleNamespace()
    monkeypatch.setattr(restore, "dump", lambda todo: "{}")
    monkeypatch.setattr(restore, "settled", not_written)
    assert restore._put_plan(state, node, before, plan) is False and asked == []
    assert node.said == ["node1: the pools' guids were not written down: vault1: no space left on device"]
    monkeypatch.setattr(restore, "settled", lambda node: None)
    assert restore._put_plan(state, node, before, plan) is True and asked == [("vault1", "node1", {})]


def test_without_the_plan_nothing_is_started_and_the_lock_is_kept(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    before, node, done = job(live(), BEGUN, go), Node(live()), list[str]()
    monkeypatch.setattr(restore, "on_vault", lambda vault, command: done.append("start"))
    monkeypatch.setattr(restore.lock, "release", lambda node: done.append("release"))
    monkeypatch.setattr(restore, "settled", not_written)
    assert restore._start(SimpleNamespace(), node, before) is False and done == []
    assert "the restore was not started" in node.said[0]
    monkeypatch.setattr(restore, "settled", lambda node: None)
    assert restore._start(SimpleNamespace(), node, before) is True and done == ["release", "start"]


@pytest.mark.parametrize(("zfs", "loads"), [(None, False), (ABSENT, True), (Unknown("the module is not loaded"), True)])
def test_the_module_is_loaded_and_the_disks_looked_at_again_only_where_it_was_not(
    go: Go, monkeypatch: pytest.MonkeyPatch, zfs: Any, loads: bool
) -> None:
    spoilt: list[str] = []
    monkeypatch.setattr(rebuild_operations, "spoil", lambda *parts: spoilt.extend(parts))
    commands, _ = go(rebuild_operations.zfs_ready, live(zfs=zfs), Present(record()), job(live(), record(), go))
    assert (bool(commands), "disks" in spoilt) == (loads, loads)


def test_no_pool_is_made_by_a_reading_of_long_ago(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    """What took so long, packages for instance, left time for anything to be done to the disks."""
    made: list[list[Any]] = []

    class Run:
        @staticmethod
        def _inner(later: float) -> list[Any]:
            planned = bootstrap.job_of(node_spec(), Asks(), WAYS)[0]
            this: Any = current
            this.reading = live(disks=())
            now = live_operations.time.monotonic()
            monkeypatch.setattr(live_operations.time, "monotonic", lambda: now + later)
            made.append(texts(rebuild_operations.pools._inner(job=planned)))
            return []

    for later in (1, live_operations.YOUNG + 1):
        go(Run, live(), Present(record()), later)
        monkeypatch.undo()
    young, old = made
    assert "zpool create" in str(young) and "zpool create" not in str(old) and "exit 1" in str(old)
