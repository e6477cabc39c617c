"""Heartbeats taken, each durable and by its own token, on one core; against handlers that write a row for each.

In PostgreSQL where it is installed (Debian's `postgresql`): a Django project's, and one without any framework. Else,
and beside them, appended to a file and synced. All speak plain HTTP over connections that stay: TLS costs them the
same. The first core serves, database included, the others send.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from blackstart.bench import postgres
from blackstart.bench.heartbeat import heartbeat
from blackstart.bench.load import Sender
from blackstart.bench.row import Row
from blackstart.serve.config import Beat, Config, dump
from blackstart.serve.tokens import digest
from blackstart.vault.tokens import Token
from blackstart.vault.tokens import dump as dump_tokens

NODES = 64  # connections at once, each of a node of its own
SERVICES = 20  # on each of them
GOAL = 0.1
ROUNDS = 7
OURS, FILES, DATABASES = 4000, 200, 1000  # heartbeats in each; what waits for the disk alone takes long
PATIENCE = 60  # seconds until a server listens
REST = 0.5  # seconds between two measurements
CORE = {0}
FILE, BARE, DJANGO = "append and fsync for each", "a row in PostgreSQL, no framework", "a row in PostgreSQL by Django"
# Of 8 to 64 threads and one or two processes as fast as any.
GUNICORN = ("--workers=1", "--worker-class=gthread", "--threads=16", "--keep-alive=75", "--log-level=warning")

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
        port = _free()
        _lay_down(root, port)
        with ExitStack() as stack:
            stack.enter_context(_sending())
            ours = stack.enter_context(_serving([sys.executable, "-c", _OURS, str(root)], port))
            peers = {FILE: partial(stack.enter_context(_peer(root)), FILES)}
            if postgres.programs():
                words = stack.enter_context(postgres.running(root, CORE))
                peers[BARE] = partial(stack.enter_context(_peer(root, words)), DATABASES)
                peers[DJANGO] = partial(stack.enter_context(_django(root, words)), DATABASES)
            else:
                print("no PostgreSQL here to compare with: apt install postgresql", file=sys.stderr)
            everyone = [partial(ours, OURS), *peers.values()]
            for warm in everyone:
                warm()
            _await_files(root)
            samples = [[_rested(each) for each in everyone] for _ in range(ROUNDS)]
    taken, *against = (statistics.median(each) for each in zip(*samples, strict=True))
    what = f"a heartbeat of one of {NODES} nodes, durable"
    for peer, seconds in zip(peers, against, strict=True):
        # The last is what a heartbeat's handler would be elsewhere; a file stands in for a database not at hand.
        goal = GOAL if peer == list(peers)[-1] else None
        yield Row(what, peer, taken * 1000, seconds * 1000, ROUNDS, "ms", goal=goal)


@contextmanager
def _sending() -> Iterator[None]:
    """This process keeps off the core that serves, where there is another one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - CORE or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _rested(take: Callable[[], float]) -> float:
    """One measurement on a machine that is done with the one before: databases write on behind their answers, and so
    do the files of nodes.
    """
    time.sleep(REST)
    os.sync()
    return take()


def secret(node: str) -> str:
    return digest(node.encode())


def body(node: str, sequence: int) -> bytes:
    """Of a node with ten containers of two services each."""
    containers = {f"app{number}": [f"app{number}.service", "cron.service"] for number in range(SERVICES // 2)}
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


def _await_files(root: Path) -> None:
    """What is written of a node that was never heard of is written once: a folder for each of its containers."""
    until = time.monotonic() + PATIENCE
    while len(list(root.glob("live/*/now/services/*/*"))) < NODES * SERVICES:
        if time.monotonic() > until:
            raise RuntimeError("not every node got its files")
        time.sleep(0.1)


def _peer(root: Path, *words: str) -> AbstractContextManager[Callable[[int], float]]:
    port = _free()
    return _serving([sys.executable, "-m", "blackstart.bench.ingest_peer", str(root), str(port), *words], port)


def _django(root: Path, words: str) -> AbstractContextManager[Callable[[int], float]]:
    port = _free()
    command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", *GUNICORN]
    more = {"INGEST_FOLDER": str(root), "INGEST_WORDS": words}
    return _serving([*command, "blackstart.bench.ingest_django"], port, more)


@contextmanager
def _serving(command: list[str], port: int, more: Mapping[str, str] = {}) -> Iterator[Callable[[int], float]]:
    """What sends that many heartbeats and says how many seconds one took. `more`: of the environment."""
    process = subprocess.Popen(command, env={**os.environ, **more}, preexec_fn=lambda: os.sched_setaffinity(0, CORE))
    try:
        _await(port, process)
        yield Sender(port, [(f"n{number}", secret(f"n{number}")) for number in range(NODES)], body).send
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
