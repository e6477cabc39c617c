"""Whole readings that a node sends: whose they are, where they are kept, and what judges them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from documents import valid
from drift_world import NOW, World, recorded, world
from serve_world import Served, bearer, eventually, folders, served

from blackstart.drift import stored
from blackstart.live.codec import live_from_json
from blackstart.live.script import parse
from blackstart.reading import Present
from blackstart.serve import config, judge, reading
from blackstart.serve.config import Beat, Config
from blackstart.vault import layout

__all__ = ["world"]  # a fixture
# As `blackstart drift --json` would print it.
JUDGE = """
import json, sys
print(json.dumps({"format": 1, "tool": "1", "commit": "c0ffee", "nodes": {sys.argv[1]: 1}, "findings": [],
    "waivers": [], "notes": [], "diffs": []}))
"""


def post(world: Served, body: bytes, who: str = "node1") -> httpx.Response:
    return httpx.post(f"{world.url}/api/readings", content=body, headers=bearer(who), timeout=30)


def test_a_reading_is_kept_judged_and_not_taken_twice(tmp_path: Path) -> None:
    folders(tmp_path)
    now = tmp_path / "live/node1/now"
    with served(tmp_path, sys.executable, "-c", JUDGE) as service:
        assert post(service, recorded().encode()).status_code == 204
        state = json.loads((now / "state.json").read_text())
        assert live_from_json(state) == parse(recorded()) and state["node"] == "node1"
        valid("drift", eventually((now / "drift.json").read_text))
        again = post(service, recorded().encode())
        assert again.status_code == 409 and "is not after" in again.json()["detail"]
        assert post(service, recorded().encode(), "operator").status_code == 403
        events = eventually((tmp_path / "live/now/events.jsonl").read_text).splitlines()
        assert [json.loads(each)["text"] for each in events] == ["node1: nothing differs"]
    with served(tmp_path) as service:
        assert post(service, recorded().encode()).status_code == 409


def test_one_of_another_node_and_junk_are_refused(tmp_path: Path) -> None:
    folders(tmp_path)
    with served(tmp_path) as service:
        for body, why in (
            (recorded().encode(), "this reading is not of node2"),
            (b"junk", "this is no reading"),
            (recorded().encode()[:200], "this reading does not tell of its host"),
        ):
            answer = post(service, body, "node2")
            assert answer.status_code == 422 and answer.json()["detail"] == why
    assert not (tmp_path / "live/node2/now/state.json").exists()


def test_one_that_cannot_be_judged_is_told_and_the_service_goes_on(tmp_path: Path) -> None:
    folders(tmp_path)
    with served(tmp_path) as service:
        assert post(service, recorded().encode()).status_code == 204
        log = tmp_path / "live/now/events.jsonl"
        assert eventually(lambda: "could not be judged: it ended with 7" in log.read_text())
        assert "blackstart_readings_unjudged_total 1\n" in service.get("/metrics").text
        assert service.get("/health", "").status_code == 200


def test_a_reading_of_whoever_says_so() -> None:
    live = parse(recorded())
    assert reading.understood("node1", recorded().encode()) == live
    place = reading.place(live)
    assert isinstance(live.host, Present) and place.boot_id == live.host.value.boot_id
    assert reading.last_of(reading.document("node1", live, 1.0, place._replace(boots=("a",)))) is not None
    assert reading.last_of({}) is None and reading.last_of({"host": {"value": None}}) is None


def test_the_judge_asks_the_fleets_own_drift_over_what_was_sent(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, started = world.fits(), list[list[str]]()
    place = reading.place(live)
    monkeypatch.setattr(layout, "LIVE", str(tmp_path / "live"))
    monkeypatch.setattr(layout, "SERVE_CONFIG", str(tmp_path / "serve.json"))
    monkeypatch.setattr(judge, "own", lambda pool: stored.Text(world.vault(), "", pool))
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    (tmp_path / "live/node1/now").mkdir(parents=True)
    (tmp_path / "serve.json").write_text(config.dump(Config("vault1", "backup", "::", 1, {"node1": Beat(60, 30, 60)})))
    state = json.dumps(reading.document("node1", live, NOW, place))
    (tmp_path / "live/node1/now/state.json").write_text(state)
    judge.main("node1")
    (words,) = started
    assert words[1:-1] == ["-P", "-m", "blackstart", "drift", "--json", "--from"]
    seen = stored.load({words[-1]: Path(words[-1]).read_text()}, ["node1"])
    assert seen.live == {"node1": live} and seen.at["node1"] == NOW and "vault1" in seen.vaults


def test_a_vault_that_cannot_look_at_itself_is_unknown_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "could not look at itself" in judge.own("backup").failed
