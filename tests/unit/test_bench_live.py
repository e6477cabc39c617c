"""The measurement of 1,000 nodes' live folders, on a folder and with a zfs that only answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.bench import live_folders, live_world
from blackstart.serve.heartbeat import Heartbeat


def test_folders_are_made_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(live_world, "NODES", 7)
    monkeypatch.setattr(live_world, "RUNS", 2)
    monkeypatch.setattr(live_world, "zfs", lambda *words: asked.append(words) or "4096")
    found = live_world.measured(tmp_path, "backup/bench-live", "backup/bench-live-empty")
    assert [words[1] for words in asked if words[0] == "snapshot"] == [
        "backup/bench-live@2",
        "backup/bench-live-empty@2",
        "backup/bench-live@3",
        "backup/bench-live-empty@3",
    ]
    # heartbeat.json, and one file for each container and service
    assert found["files"] == 7 * (1 + live_world.CONTAINERS * (1 + live_world.SERVICES))
    assert json.loads((tmp_path / "node6" / "heartbeat.json").read_text())["sequence"] == 3
    rows = live_folders.parse(json.dumps(found))
    assert [row.unit for row in rows] == ["s", "B", "s"] and all(row.ours > 0 and row.theirs > 0 for row in rows)


def test_what_is_measured_is_what_a_vault_takes() -> None:
    sent = {key: value for key, value in live_world.kept("node1", 1).items() if key not in ("received", "boots")}
    assert Heartbeat.model_validate_json(json.dumps(sent)).sequence == 1
