"""A `may-break` signal over HTTP against `zfs snapshot -r` and `zfs hold` by ssh, both on this machine, not emulated.

In emulated machines each program takes twenty times its time, so what signal.py finds there says how they compare and
not how many milliseconds one costs. The peer is typed twice: with an ssh client for each line, as people and scripts
do, and into a shell that is open on the node already, where no client is started any more.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blackstart.bench.drift_sshd import SSHD
from blackstart.bench.row import Row, seconds
from blackstart.bench.signal import MORE
from blackstart.bench.signal_place import NODE, At, place

RUNS = 60
CLIENT, SHELL = "zfs snapshot -r && zfs hold, an ssh client each", "the same into a shell that is open"


def rows(inventory: Path, folder: Path) -> Iterator[Row]:
    """`folder`: on the disk that is to be written to; it is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not Path(SSHD).exists() or os.geteuid() != 0:
        print(f"signals on this machine: not measured, that takes root and {SSHD}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(dir=folder.resolve()) as name, place(inventory, Path(name)) as at:
        samples = measured(at, RUNS)
    yield from compared(samples)


def compared(samples: list[tuple[float, float, float]]) -> list[Row]:
    """Of seconds that a signal, a line by a client of its own and a line into an open shell took, round by round."""
    ours, *peers = (statistics.median(column) for column in zip(*samples, strict=True))
    return [
        Row(
            "signal may-break, zfs apart, not emulated",
            peer,
            ours * 1000,
            theirs * 1000,
            len(samples),
            "ms",
            goal=round(1 + MORE / theirs, 3),
        )
        for peer, theirs in zip((CLIENT, SHELL), peers, strict=True)
    ]


def measured(at: At, runs: int) -> list[tuple[float, float, float]]:
    """One round after the other, after one that does not count."""
    service = Service(at)
    with connected(at) as client, Shell(client) as shell:

        def line(number: int) -> str:
            name = f"{at.pool}@bench-{number}"
            return f"zfs snapshot -r {name} && zfs hold -r bench {name}"

        def round_(number: int) -> tuple[float, float, float]:
            ours = service.signal()
            by_client = seconds(lambda: subprocess.run([*client, line(number)], check=True))
            return ours, by_client, seconds(lambda: shell.type(line(number)))

        return [round_(number) for number in range(runs + 1)][1:]


class Service:
    """Its connection is open before the clock runs, as the peers' are."""

    def __init__(self, at: At) -> None:
        context = ssl.create_default_context(cafile=at.certificate)
        self._service = http.client.HTTPSConnection("127.0.0.1", at.port, context=context, timeout=60)
        self._headers = {"Authorization": f"Bearer {at.token}", "Content-Type": "application/json"}

    def signal(self) -> float:
        """Seconds until the answer; it is closed again afterwards."""
        # The service ends one that was idle for seconds.
        self._service.close()
        self._asked("GET", "/health")
        began = time.monotonic()
        said = self._asked("POST", "/api/signals", scope=f"node:{NODE}", severity="may-break", reason="bench")
        took = time.monotonic() - began
        closed = self._asked("POST", f"/api/signals/{said['token']}/close", outcome="ok")
        if not said["nodes"][NODE]["taken"] or closed["held"]:
            raise RuntimeError(f"no snapshot was taken, or its hold stayed: {closed}")
        return took

    def _asked(self, method: str, path: str, **body: str) -> dict[str, Any]:
        self._service.request(method, path, json.dumps(body) if body else None, self._headers)
        answer = self._service.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {said}")
        return said


@contextmanager
def connected(at: At) -> Iterator[list[str]]:
    """The client of a connection that is open already, as words without the command."""
    socket = at.certificate.parent / "master.sock"
    program, *rest = at.login
    subprocess.run([program, "-M", "-S", str(socket), "-f", "-N", *rest], check=True)
    client = [program, "-S", str(socket), *rest]
    try:
        yield client
    finally:
        subprocess.run([*client[:-1], "-O", "exit", client[-1]], check=False, stderr=subprocess.DEVNULL)


class Shell:
    """One that waits for a line at the other end."""

    def __init__(self, client: list[str]) -> None:
        self._process = subprocess.Popen(
            [*client[:1], "-T", *client[1:], "exec bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def type(self, line: str) -> None:
        """Raises RuntimeError where the line fails."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}; echo $?\n")
        said = self._process.stdout.readline()
        if said.strip() != "0":
            raise RuntimeError(f"{line}: {said.strip() or 'the shell ended'}")
