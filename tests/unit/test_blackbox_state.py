"""The state as of a moment, and what changed: from snapshots, also of a node that is gone, never through a link."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from blackbox_world import NOON, Live
from documents import valid
from spec_fleet import run

from blackstart.blackbox import folders
from blackstart.blackbox.state import change, differences, state

LATER = NOON + 100_000
RECORD = {
    "epoch": 2,
    "applied": {"at": NOON, "by": "ops@laptop", "commit": "abc"},
    "datasets": {"tank/a": {"snapshot": "blackstart_x"}},
}


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """12:00 node1 and old run; 12:10 old is gone; now node1 has lost its container."""
    live = Live(tmp_path)
    live.heartbeat("node1")
    live.node("node1", state={"format": 1, "pools": {"state": "present"}}, record=RECORD)
    (live.root / "node1/now/containers/crm.json").write_text('{"running": true}')
    (live.root / "node1/now/services/crm/crm.service.json").write_text('{"running": true}')
    live.heartbeat("old")
    live.clock += 35
    live.snapshot()
    live.clock += 565
    (live.root / "old" / "now" / "heartbeat.json").unlink()
    for folder in ("now/containers", "now/services/crm", "now/services", "now", ""):
        (live.root / "old" / folder).rmdir()
    live.snapshot()
    live.snapshot("before-the-upgrade")
    live.clock += 60
    live.heartbeat("node1", containers={}, sequence=9, pools={"tank": "DEGRADED"})
    return live


def as_of(live: Live, at: str, node: str = "node1") -> dict[str, Any]:
    return state(live.root, node, at, LATER)


def test_now_and_then(live: Live) -> None:
    assert as_of(live, "")["nodes"]["node1"]["heartbeat"]["containers"] == {}
    then = as_of(live, "2025-11-22T12:05Z")
    assert then["moment"] == {"snapshot": "blackbox_2025-11-22T12:00:35Z", "at": NOON + 35}
    node = then["nodes"]["node1"]
    assert node["heartbeat"]["containers"] and node["record"]["epoch"] == 2 and node["reading"]["format"] == 1
    assert node["containers"] == {"crm": {"running": True}}
    assert node["services"] == {"crm/crm.service": {"running": True}}
    assert node["restore"] is None and node["unread"] == {}
    assert as_of(live, "bank/vault/live@before-the-upgrade")["moment"]["at"] is None


def test_all_nodes_and_one_that_is_gone(live: Live) -> None:
    assert list(as_of(live, "2025-11-22 12:01", "")["nodes"]) == ["node1", "old"]
    assert list(as_of(live, "", "")["nodes"]) == ["node1"]
    assert as_of(live, "2025-11-22 12:01", "old")["nodes"]["old"]["heartbeat"]["node"] == "old"
    with pytest.raises(ValueError, match=r"there is no node old in 2025-11-22 12:10:00 UTC .*there is node1"):
        as_of(live, "2025-11-22 12:10", "old")


def test_a_moment_that_is_not_there_is_said_with_those_that_are(live: Live) -> None:
    there = "there is something from 2025-11-22 12:00:35 UTC .* to 2025-11-22 12:10:00 UTC"
    with pytest.raises(ValueError, match=f"nothing is kept of 2025-11-22 11:59 or before; {there}"):
        as_of(live, "2025-11-22 11:59")
    with pytest.raises(ValueError, match=f"'yesterday' is neither a snapshot that is there nor a time.*{there}"):
        as_of(live, "yesterday")
    with pytest.raises(ValueError, match="is not over yet"):
        as_of(live, "2099-01-01")


def test_what_changed_between_two_moments(live: Live) -> None:
    found = change(live.root, "", "2025-11-22 12:01", "", LATER)
    paths = {each["path"]: (each["before"], each["after"]) for each in found["changes"]}
    assert paths["node1.heartbeat.pools.tank"] == ("ONLINE", "DEGRADED")
    assert paths["node1.heartbeat.containers.crm"][1] is None and paths["old"][1] is None
    assert change(live.root, "node1", "2025-11-22 12:01", "before-the-upgrade", LATER)["changes"] == []
    assert change(live.root, "old", "2025-11-22 12:01", "", LATER)["changes"][0]["path"] == "old"
    with pytest.raises(ValueError, match=r"there is no node node9 in .*, nor in "):
        change(live.root, "node9", "2025-11-22 12:01", "", LATER)


def test_differences_are_of_both_sides() -> None:
    before, after = {"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"b": 1, "c": [2]}, "e": None, "f": 0}
    assert [(each["path"], each["before"], each["after"]) for each in differences(before, after)] == [
        ("a.c", [1], [2]),
        ("d", 1, None),
        ("f", None, 0),
    ]


def test_no_link_is_followed_and_what_is_damaged_is_named(live: Live, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"password": 1}')
    now = live.root / "node1" / "now"
    (now / "heartbeat.json").unlink()
    (now / "heartbeat.json").symlink_to(tmp_path / "secret.json")
    (now / "state.json").write_text('{"torn')
    (now / "drift.json").write_text("[1]")
    (now / "services" / "crm" / "crm.service.json").unlink()
    (now / "services" / "crm").rmdir()
    (now / "services" / "crm").symlink_to(tmp_path)
    os.mkfifo(now / "containers" / "pipe.json")
    found = as_of(live, "")["nodes"]["node1"]
    assert "password" not in json.dumps(found)
    assert found["heartbeat"] is None and found["services"] == {}
    assert set(found["unread"]) == {
        "now/heartbeat.json",
        "now/state.json",
        "now/drift.json",
        "now/containers/pipe.json",
    }


def test_a_file_that_is_too_large_is_not_read(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LARGEST", 10)
    assert as_of(live, "")["nodes"]["node1"]["unread"]["now/state.json"] == "it is too large"


def test_the_command(live: Live) -> None:
    root = ("--root", str(live.root))
    said = run("state", "node1", "--at", "2025-11-22T12:05Z", *root)
    assert said.exit_code == 0, said.output
    assert said.output.splitlines() == [
        "2025-11-22 12:00:35 UTC (blackbox_2025-11-22T12:00:35Z)",
        "",
        "node1",
        "  heard       35 s before, 2025-11-22 12:00:00 UTC; heartbeat 1",
        "  up          25 h 0 min, boot bbbbbbbb, load 0.1 0.2 0.3",
        "  pools       tank ONLINE",
        "  container   crm: crm.service",
        "  record      epoch 2",
        "  applied     2025-11-22 12:00:00 UTC by ops@laptop, commit abc",
        "  replica     tank/a: blackstart_x",
        "  reading     there; the whole of it with --json",
    ]
    assert valid("state", run("state", "--json", *root).stdout)["vault"] == str(live.root)
    assert valid("state-changes", run("state", "--at", "2025-11-22 12:01..", "--json", *root).stdout)["changes"]
    lines = run("state", "--at", "2025-11-22 12:01..", *root).output.splitlines()
    assert "  node1.heartbeat.pools.tank: ONLINE -> DEGRADED" in lines and max(map(len, lines)) <= 80
    assert lines[-1].startswith("3 changes; 2 numbers")
    assert run("state", "node9", *root).exit_code == 1
    assert "has no beginning" in run("state", "--at", "..2025-11-22", *root).output
    signal = {"state": "open", "severity": "will-break", "scope": "node:node1", "reason": "the power goes"}
    (live.root / "now/signals/1.json").write_text(json.dumps(signal))
    assert run("state", *root).output.splitlines()[-1] == "signal open: will-break on node:node1: the power goes"
    assert run("state", "--root", str(live.root / "node1")).exit_code == 3


def test_containers_that_a_node_could_not_read_are_not_known(live: Live) -> None:
    live.heartbeat("node1", containers=None)
    said = run("state", "node1", "--root", str(live.root))
    assert said.exit_code == 0 and "  containers  not known" in said.output.splitlines()


def test_one_snapshot_that_was_mounted_by_hand_is_enough(live: Live) -> None:
    snapshot = live.root / ".zfs" / "snapshot" / "before-the-upgrade"
    assert run("state", "node1", "--root", str(snapshot)).exit_code == 0
    assert run("timeline", "--root", str(snapshot)).exit_code == 0


@pytest.mark.parametrize("command", ["state", "timeline"])
def test_an_empty_folder_name_is_refused_and_one_that_is_wrong_is_named_once(command: str, tmp_path: Path) -> None:
    empty = run(command, "--root=")
    assert empty.exit_code == 1 and "it is empty; give it a value, or leave it out" in empty.output
    wrong = run(command, f"--root={tmp_path}")
    assert wrong.exit_code == 3 and "no node has a folder there" in wrong.output
    gone = run(command, f"--root={tmp_path}/gone")
    assert gone.exit_code == 3 and "No such file" in gone.output
    assert wrong.output.count(str(tmp_path)) == gone.output.count(str(tmp_path)) == 1


def test_what_cannot_be_read_in_a_moment_is_neither_gone_nor_the_same(live: Live) -> None:
    now = live.root / "node1" / "now"
    (now / "heartbeat.json").write_text("{")
    (now / "containers" / "crm.json").write_text("[]")
    for file in (now / "services" / "crm" / "crm.service.json", now / "services" / "crm", now / "services"):
        file.unlink() if file.is_file() else file.rmdir()
    (now / "services").write_text("no folder")
    live.clock += 60
    live.snapshot()
    at = "before-the-upgrade"
    (live.root / "node1" / "record.json").write_text(json.dumps({**RECORD, "epoch": 3}))
    found = change(live.root, "node1", at, "", LATER)
    assert [each["path"] for each in found["changes"]] == ["node1.record.epoch"]
    assert [said.partition(" in ")[0] for said in found["unread"]] == [
        "node1/now/heartbeat.json",
        "node1/now/containers/crm.json",
        "node1/now/services",
    ]
    # The other way round nothing came, and what is torn in both is not called the same.
    back = change(live.root, "node1", "2025-11-22T12:12Z", "", LATER)
    assert len(back["unread"]) == 6 and "blackbox_2025-11-22T12:12:00Z): it is no" in "".join(back["unread"])
    said = run("state", "node1", "--at", f"{at}..", "--root", str(live.root))
    assert said.exit_code == 3 and "not read: node1/now/heartbeat.json in" in said.output
    assert "heartbeat:" not in said.output and "crm" not in said.output.replace("containers/crm.json", "")
    as_json = run("state", "node1", "--at", f"{at}..", "--json", "--root", str(live.root))
    assert as_json.exit_code == 3 and len(valid("state-changes", as_json.stdout)["unread"]) == 3


def test_a_signal_that_cannot_be_read_is_named(live: Live) -> None:
    signals, root = live.root / "now" / "signals", str(live.root)
    (signals / "1.json").write_text('{"state": "open", "severity": "may-br')
    (signals / "2.json").write_text('{"state": "open"}')
    said = run("state", "node1", "--root", root)
    assert (
        said.exit_code == 3
        and said.output.splitlines()[-1] == "not read: now/signals/2.json: it is not a signal: severity"
    )
    document = valid("state", run("state", "--json", "--root", root).stdout)
    assert list(document["unread"]) == ["now/signals/1.json", "now/signals/2.json"] and document["signals"]["1"] is None
    for each in signals.iterdir():
        each.unlink()
    signals.rmdir()
    signals.write_text("x")
    said = run("state", "node1", "--root", root)
    assert said.exit_code == 3 and said.output.splitlines()[-1] == "not read: now/signals: Not a directory"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("now/heartbeat.json", {}, "  heard       could not be read"),
        (
            "now/heartbeat.json",
            {"received": 1, "pools": "x"},
            "  not read    now/heartbeat.json: it is not a heartbeat: pools",
        ),
        ("record.json", {"applied": [1]}, "  not read    record.json: it is not a record: applied"),
    ],
)
def test_a_file_of_another_shape_is_named_and_the_rest_is_shown(
    live: Live, file: str, content: dict[str, Any], said: str
) -> None:
    (live.root / "node1" / file).write_text(json.dumps(content))
    shown = run("state", "node1", "--root", str(live.root))
    assert shown.exit_code == 3 and said in shown.output.splitlines()
    assert "  reading     there; the whole of it with --json" in shown.output.splitlines()


@pytest.mark.parametrize("number", ["1e999", "NaN", "9" * 30, "[" * 900 + "]" * 900])
def test_json_that_no_program_of_ours_writes_is_named(live: Live, number: str) -> None:
    (live.root / "node1/now/drift.json").write_text(f'{{"x": {number}}}')
    assert "it is no JSON: " in as_of(live, "")["nodes"]["node1"]["unread"]["now/drift.json"]
    assert run("state", "node1", "--at", "2025-11-22 12:01..", "--root", str(live.root)).exit_code == 3
