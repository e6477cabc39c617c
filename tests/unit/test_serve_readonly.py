"""A vault whose live state can be read and not written: nothing is taken, all is said, and it goes on by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from drift_world import recorded
from serve_world import PROGRAM, bearer, beat, eventually, folders, served

from blackstart.serve.wal import Log
from blackstart.vault.store import writable

WHY = "Read-only file system"


def test_it_refuses_says_why_and_goes_on_once_it_can_write(tmp_path: Path) -> None:
    """Also where it turns up between the look and the write. tests/lab has a real dataset."""
    folders(tmp_path)
    with served(tmp_path) as world:
        assert world.post(beat(sequence=1)).status_code == 204
        kept = eventually((tmp_path / "live/node1/now/heartbeat.json").read_bytes)
        (tmp_path / "read-only").touch()
        for _ in range(2):
            refused = world.post(beat(sequence=2))
            assert refused.status_code == 503 and refused.headers["Retry-After"]
            assert refused.json()["detail"] == f"the vault cannot keep it now: {WHY}"
        reading = httpx.post(
            f"{world.url}/api/readings", content=recorded().encode(), headers=bearer("node1"), timeout=30
        )
        assert reading.status_code == 503 and reading.json()["detail"] == f"the vault cannot keep it now: {WHY}"
        health = world.get("/health", "")
        assert health.status_code == 503 and f"the last heartbeat could not be kept: {WHY}" in health.json()["why"]
        assert world.get("/api/nodes/node1").json()["sequence"] == 1 and world.get("/").status_code == 200
        assert (tmp_path / "live/node1/now/heartbeat.json").read_bytes() == kept
        (tmp_path / "read-only").write_text("seen")
        assert world.post(beat(sequence=2)).json()["detail"].endswith("/live is read-only")
        assert world.get("/health", "").json()["why"][0].endswith("/live is read-only")
        time.sleep(1.1)  # what was looked at is shown again for a second
        assert world.get("/").status_code == world.get("/api/status").status_code == 200
        (tmp_path / "read-only").unlink()
        assert world.post(beat(sequence=2)).status_code == 204
        assert eventually(lambda: world.get("/health", "").json()["status"] == "ok")
        assert eventually(lambda: (tmp_path / "live/node1/now/heartbeat.json").read_bytes() != kept)
    sequences = [json.loads(each)["sequence"] for each in Log(tmp_path / "live/now/heartbeats.wal").read()]
    assert sequences == [1, 2]


def test_it_does_not_begin_and_the_next_start_finds_all(tmp_path: Path) -> None:
    folders(tmp_path)
    with served(tmp_path) as world:
        assert world.post(beat(sequence=5)).status_code == 204
        world.end()
    (tmp_path / "read-only").touch()
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("the service cannot run: ") and WHY in done.stderr
    assert done.stderr.endswith("; next: zpool status; zfs get mounted,readonly backup/vault/live\n")
    (tmp_path / "read-only").unlink()
    with served(tmp_path) as world:
        assert world.get("/api/nodes/node1").json()["sequence"] == 5


def test_a_mount_that_is_read_only_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match=r"^/nowhere is not mounted$"):
        writable("/nowhere")
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY | os.ST_NOSUID))
    with pytest.raises(OSError, match=r"^/ is read-only$"):
        writable("/")
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_NOSUID))
    writable("/")


def test_a_unit_that_may_write_in_one_folder_is_asked_about_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {"/": os.ST_RDONLY, "/node1": 0, "/node2": os.ST_RDONLY}
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=flags[path]))
    writable("/", "node1")
    with pytest.raises(OSError, match=r"^/node2 is read-only$"):
        writable("/", "node2")
