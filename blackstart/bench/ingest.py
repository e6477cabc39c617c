"""Heartbeats taken, each durable and by its own token, on one core; against a handler that appends and syncs each.

Both speak plain HTTP over connections that stay: TLS costs both the same. The first core serves, the others send.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blackstart.bench.heartbeat import heartbeat
from blackstart.bench.load import Sender
from blackstart.bench.row import Row
from blackstart.serve.config import Beat, Config, dump
from blackstart.serve.tokens import digest
from blackstart.vault.tokens import Token
from blackstart.vault.tokens import dump as dump_tokens

NODES = 64  # connections at once, each of a node of its own
GOAL = 0.1
ROUNDS = 5
PATIENCE = 60  # seconds until a server listens

_OURS = """
import sys
from pathlib import Path
from blackstart.serve.server import Place, run
root = Path(sys.argv[1])
run(Place(root / "live", root / "serve.json", root / "tokens.json", None, Path(), lambda: None, ("false",)))
"""


def rows(folder: Path) -> Iterator[Row]:
    """`folder`: on the disk that is to be written to."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        port, other = _free(), _free()
        _lay_down(root, port)
        ours = [sys.executable, "-c", _OURS, str(root)]
        peer = [sys.executable, "-m", "blackstart.bench.ingest_peer", str(root), str(other)]
        with _serving(ours, port) as us, _serving(peer, other) as them:
            samples = [(us(2000), them(200)) for _ in range(ROUNDS)]
    taken, against = (statistics.median(each) for each in zip(*samples[1:], strict=True))
    what = f"a heartbeat of one of {NODES} nodes, durable"
    yield Row(what, "append and fsync for each", taken * 1000, against * 1000, ROUNDS - 1, "ms", goal=GOAL)


def secret(node: str) -> str:
    return digest(node.encode())


def body(node: str, sequence: int) -> bytes:
    """Of a node with ten containers."""
    containers = {f"app{number}": [f"app{number}.service", "cron.service"] for number in range(10)}
    return json.dumps(heartbeat(node, sequence, containers)).encode()


def _free() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _lay_down(root: Path, port: int) -> None:
    """What both need in `root`."""
    nodes = [f"n{number}" for number in range(NODES)]
    (root / "live/now").mkdir(parents=True)
    for node in nodes:
        (root / "live" / node / "now").mkdir(parents=True)
    config = Config("vault1", "tank", "127.0.0.1", port, {node: Beat(60, 30, 0) for node in nodes})
    (root / "serve.json").write_text(dump(config))
    tokens = [Token(node, "heartbeat", node, "", digest(secret(node).encode()), 1) for node in nodes]
    (root / "tokens.json").write_text(dump_tokens(tokens))


@contextmanager
def _serving(command: list[str], port: int) -> Iterator[Callable[[int], float]]:
    """What sends that many heartbeats and says how many seconds one took."""
    process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    try:
        _await(port, process)
        sender = Sender(port, [(f"n{number}", secret(f"n{number}")) for number in range(NODES)], body)

        def send(count: int) -> float:
            began = time.monotonic()
            sender.send(count)
            return (time.monotonic() - began) / count

        yield send
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("a server did not begin to listen")
