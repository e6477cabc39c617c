"""What takes minutes of the service, and no machine: a hundred thousand strange heartbeats, and a rush with a kill."""

from __future__ import annotations

import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from serve_world import Served, bearer, beat, folders, served
from test_serve_heartbeat import mutated

from blackstart.serve.wal import Log

pytestmark = pytest.mark.slow

COUNT = 100_000
RUSH = 60  # seconds
NODES = tuple(f"node{number}" for number in range(1, 3))


def memory(world: Served) -> int:
    text = Path(f"/proc/{world.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """Where no fsync takes its time: the rules are asked here, not the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_hundred_thousand_mutated_heartbeats(memory_disk: Path) -> None:
    """None is a fault of the service, none is taken that another node or an earlier moment sent, memory is bounded."""
    folders(memory_disk)
    chance, last, statuses = random.Random(11), 0, set[int]()
    with served(memory_disk) as world, httpx.Client(headers=bearer("node1"), timeout=30) as client:
        grown = 0
        for number in range(1, COUNT + 1):
            body = mutated(json.dumps(beat(sequence=last + 1)).encode(), chance)
            answer = client.post(f"{world.url}/api/heartbeats", content=body)
            statuses.add(answer.status_code)
            if answer.status_code == 204:
                said = json.loads(body)
                assert said["node"] == "node1" and said["sequence"] != last
                last = said["sequence"] if said["sequence"] < 10**9 else 0
                if not last:  # a great leap of it is its own affair; another boot begins anew
                    client.post(f"{world.url}/api/heartbeats", json=beat(boot_id=f"{number:036d}"))
            if number == COUNT // 10:
                grown = memory(world)
        assert statuses <= {204, 403, 409, 422}
        assert memory(world) < grown + 32 * 1024 * 1024
        assert client.get(f"{world.url}/health").status_code == 200
    for path in (memory_disk / "live").rglob("[!.]*.json"):
        json.loads(path.read_text())


def test_a_rush_of_a_minute_with_a_kill_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """Twenty times what a thousand nodes send in a minute, from as many senders as there are tokens for."""
    folders(tmp_path)
    acknowledged: dict[str, int] = dict.fromkeys(NODES, 0)
    slowest = [0.0]
    running = [Served(tmp_path)]
    over = threading.Event()

    def send(node: str) -> None:
        number, client = 1, httpx.Client(headers=bearer(node), timeout=10)
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = client.post(f"{running[0].url}/api/heartbeats", json=beat(node, number))
            except httpx.HTTPError:  # killed: whether it was taken is for the next service to say
                number += 1
                time.sleep(0.2)
                continue
            assert answer.status_code in (204, 409)
            if answer.status_code == 204:
                acknowledged[node] = number
                slowest[0] = max(slowest[0], time.monotonic() - began)
            number += 1
            time.sleep(max(0.0, 2 / 333 - (time.monotonic() - began)))

    threads = [threading.Thread(target=send, args=(node,)) for node in NODES]
    for each in threads:
        each.start()
    time.sleep(RUSH / 2)
    running[0].end(signal.SIGKILL)
    taken = [json.loads(each) for each in Log(tmp_path / "live/now/heartbeats.wal").read()]
    for node in NODES:
        assert max(each["sequence"] for each in taken if each["node"] == node) >= acknowledged[node]
    running[0] = Served(tmp_path)
    time.sleep(RUSH / 2)
    over.set()
    for each in threads:
        each.join()
    try:
        for node in NODES:
            assert running[0].get(f"/api/nodes/{node}").json()["sequence"] >= acknowledged[node] > 0
    finally:
        running[0].end()
    print(f"acknowledged {acknowledged}, the slowest answer took {slowest[0]:.3f} s")
