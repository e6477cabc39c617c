"""kill -9 at every single write: what was acknowledged is there afterwards, and no file is half of one."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
from serve_world import bearer, beat, eventually, folders, served

from blackstart.serve import store
from blackstart.serve.config import load
from blackstart.serve.events import Events
from blackstart.serve.heartbeat import Heartbeat, parse
from blackstart.serve.refused import Refused
from blackstart.serve.wal import Log

CALLS = ("write", "fsync", "rename", "replace", "open", "mkdir", "ftruncate")


async def work(root: Path, said: int) -> None:
    """Four heartbeats into the store over a folder, each told to `said` once it is acknowledged."""
    config = load((root / "serve.json").read_text())
    kept = store.Store(config, root / "live", lambda: None, Events(root / "live/now/events.jsonl"))
    kept.start()
    for number in range(1, 5):
        new = beat(sequence=number, containers={"crm": {"services": [f"s{number % 2}.service"]}})
        try:
            await kept.heartbeat(parse(Heartbeat, json.dumps(new).encode()))
        except Refused:  # taken by a run before
            continue
        _REAL["write"](said, b"%d\n" % number)
        await asyncio.to_thread(kept.write_index, kept.index())
    kept.stop()


_REAL = {name: getattr(os, name) for name in CALLS}


def deadly(name: str, left: list[int]) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return _REAL[name](*args, **kwargs)

    return call


def run(root: Path, at: int) -> tuple[list[int], int]:
    """What a process acknowledged that killed itself before the call number `at`; how many calls it came to."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        left = [at]
        store.GROWN = 1000  # the log is rewritten on the way
        for name in CALLS:
            setattr(os, name, deadly(name, left))
        try:
            asyncio.run(work(root, there))
            _REAL["write"](there, b"%d\n" % -left[0])
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here) as pipe:
        found = [int(each) for each in pipe.read().split()]
    _, status = os.waitpid(child, 0)
    finished = os.WIFEXITED(status)
    return (found[:-1], at + found[-1]) if finished else (found, at)


def whole(root: Path, acknowledged: int) -> None:
    """Every file that somebody may read is whole, and the log has what was acknowledged."""
    for path in (root / "live").rglob("[!.]*.json"):
        json.loads(path.read_text())
    found = [json.loads(each)["sequence"] for each in Log(root / "live/now/heartbeats.wal").read()]
    assert max(found, default=0) >= acknowledged


def test_at_every_write(tmp_path: Path) -> None:
    acknowledged, calls = run(made(tmp_path / "all"), 10**6)
    assert acknowledged == [1, 2, 3, 4] and calls > 30
    whole(tmp_path / "all", 4)
    for at in range(1, calls):
        root = made(tmp_path / str(at))
        acknowledged, _ = run(root, at)
        whole(root, max(acknowledged, default=0))
        rest, _ = run(root, 10**6)
        # One more may have been on the disk than its sender heard of.
        assert rest in ([*range(n, 5)] for n in (len(acknowledged) + 1, len(acknowledged) + 2)), at
        whole(root, 4)


def made(root: Path) -> Path:
    root.mkdir()
    folders(root)
    return root


def test_nothing_acknowledged_is_lost_when_it_is_killed_in_the_middle(tmp_path: Path) -> None:
    """Twenty times what a minute brings of as many nodes, at once; then kill -9, then count."""
    folders(tmp_path, "node1", "node2")
    acknowledged: dict[str, int] = {}
    with served(tmp_path) as world:

        def send(node: str) -> None:
            with httpx.Client(headers=bearer(node), timeout=10) as client:
                for number in range(1, 4000):
                    try:
                        answer = client.post(f"{world.url}/api/heartbeats", json=beat(node, number))
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 204:
                        acknowledged[node] = number

        threads = [threading.Thread(target=send, args=(node,)) for node in ("node1", "node2")]
        for each in threads:
            each.start()
        eventually(lambda: min(acknowledged[node] for node in ("node1", "node2")) >= 10, 60)
        world.end(signal.SIGKILL)
        for each in threads:
            each.join()
    assert all(10 <= number < 3999 for number in acknowledged.values()) and len(acknowledged) == 2
    with served(tmp_path) as world:
        for node, number in acknowledged.items():
            assert world.get(f"/api/nodes/{node}").json()["sequence"] in (number, number + 1)


def test_a_disk_that_is_full_is_said_and_gets_over(tmp_path: Path) -> None:
    """What was refused is not known afterwards, what was taken is.

    The kernel takes a part of what is written and refuses the rest, as on a full disk; tests/lab has a real one.
    """
    folders(tmp_path)
    log = tmp_path / "live/now/heartbeats.wal"
    with served(tmp_path) as world:
        assert world.post(beat(sequence=1)).status_code == 204
        _, most = resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 100, most))
        refused = world.post(beat(sequence=2))
        assert refused.status_code == 503 and "File too large" in refused.json()["detail"]
        assert "File too large" in str(world.get("/health", "").json()["why"])
        assert world.get("/api/nodes/node1").json()["sequence"] == 1
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert world.post(beat(sequence=2)).status_code == 204
        assert eventually(lambda: world.get("/health", "").json()["status"] == "ok")
    assert [json.loads(each)["sequence"] for each in Log(log).read()] == [1, 2]
