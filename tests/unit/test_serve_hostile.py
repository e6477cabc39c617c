"""Clients that mean no good, or are broken: the service goes on, and keeps little of what they send."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serve_world import LONG, SECRETS, Served, bearer, beat, certified, folders, served

GIB = 1024**3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("vault")
    folders(root)
    with served(root) as found:
        yield found


@pytest.fixture(autouse=True)
def is_well(world: Served) -> Iterator[None]:
    """Whatever a test did, the service answers, and has not grown."""
    before = memory(world)
    yield
    assert httpx.get(f"{world.url}/health", timeout=5).status_code == 200
    assert memory(world) < before + 48 * 1024 * 1024


def memory(world: Served) -> int:
    """Bytes that are resident at this moment."""
    text = Path(f"/proc/{world.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


def connected(world: Served) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", int(world.url.rpartition(":")[2])), timeout=30)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def head(path: str, *lines: str) -> bytes:
    token = f"Authorization: Bearer {SECRETS['node1']}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: vault1", token, *lines, "", ""]).encode()


def answer(found: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while data := found.recv(65536):
            said += data
    return said


@pytest.mark.parametrize("path", ["/api/heartbeats", "/api/readings", "/api/nodes", "/nowhere"])
def test_a_body_that_says_it_is_a_gibibyte_is_not_read(world: Served, path: str) -> None:
    with connected(world) as found:
        found.sendall(head(path, f"Content-Length: {GIB}"))
        said = answer(found)
    assert said.startswith(b"HTTP/1.1 413 ") and b"bytes is taken here" in said


@pytest.mark.parametrize(
    ("path", "most"), [("/api/heartbeats", 2**20), ("/api/readings", 2**24), ("/api/nodes", 2**20)]
)
def test_a_body_without_end_is_cut_off(world: Served, path: str, most: int) -> None:
    sent, piece = 0, b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with connected(world) as found:
        found.sendall(head(path, "Transfer-Encoding: chunked"))
        with contextlib.suppress(ConnectionError):
            while sent < GIB:
                found.sendall(piece)
                sent += 65536
        answer(found)
    assert sent <= most + 8 * 2**20, "what the kernel holds between the two comes on top"


def test_headers_without_end_are_cut_off(world: Served) -> None:
    sent = 0
    with connected(world) as found:
        found.sendall(b"GET /health HTTP/1.1\r\nX: ")
        with contextlib.suppress(ConnectionError):
            while sent < 64 * 2**20:
                found.sendall(b"x" * 65536)
                sent += 65536
        said = answer(found)
    assert sent < 16 * 2**20 and said[:12] in (b"", b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "junk", [b"\x00" * 512, b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_ended(world: Served, junk: bytes) -> None:
    with connected(world) as found:
        found.sendall(junk)
        assert answer(found)[:12] in (b"", b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/api/nodes/..%2f..%2fnode1", "/api/nodes/%00", "/api/nodes/" + "x" * 4096, "//etc"]
)
def test_a_path_leads_nowhere_else(world: Served, path: str) -> None:
    with connected(world) as found:
        token = f"Authorization: Bearer {SECRETS['operator']}\r\nConnection: close"
        found.sendall(f"GET {path} HTTP/1.1\r\nHost: vault1\r\n{token}\r\n\r\n".encode())
        said = answer(found)
    assert said.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")) and b"root:" not in said


def test_a_body_that_stays_away_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATIENCE", "1")
    folders(tmp_path)
    with served(tmp_path) as world, connected(world) as found:
        found.sendall(head("/api/heartbeats", "Content-Length: 400") + b"{")
        said = answer(found)
    assert said.startswith(b"HTTP/1.1 408 ") and b"connection: close" in said and b"the body did not come" in said


def test_who_asks_again_late_on_the_same_connection_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENCE", "1")
    folders(tmp_path)
    with served(tmp_path) as world:
        found = http.client.HTTPConnection("127.0.0.1", int(world.url.rpartition(":")[2]), timeout=30)
        found.auto_open = 0
        found.connect()
        for pause in (2.5, 0):
            found.request("GET", "/health")
            answered = found.getresponse()
            assert answered.read() and answered.status == 200
            time.sleep(pause)


def test_a_thousand_open_connections_keep_nobody_out_and_are_ended(world: Served) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(world)) for _ in range(1000)]
        for number, each in enumerate(idle):
            each.sendall([b"", b"POST /api/hear", head("/api/heartbeats", "Content-Length: 9")][number % 3])
        began = time.monotonic()
        assert httpx.get(f"{world.url}/health", timeout=5).status_code == 200
        assert world.post(beat(sequence=int(time.time()))).status_code == 204
        assert time.monotonic() - began < 5
        for each in idle:
            each.settimeout(30)
            assert answer(each)[:12] in (b"", b"HTTP/1.1 408")
        assert time.monotonic() - began < 40


def test_a_thousand_connections_that_never_finish_their_handshake_take_little_memory(tmp_path: Path) -> None:
    folders(tmp_path)
    certified(tmp_path)
    with served(tmp_path) as world, contextlib.ExitStack() as stack:
        before = memory(world)
        for number in range(1000):
            stack.enter_context(connected(world)).sendall(b"\x16\x03\x01\x02" * (number % 2))
        began = time.monotonic()
        assert httpx.get(f"{world.url}/health", timeout=10, verify=False).status_code == 200
        assert time.monotonic() - began < 5
        assert memory(world) < before + 128 * 2**20


def test_who_goes_away_before_the_answer_takes_nothing_along(world: Served) -> None:
    for number in range(50):
        with connected(world) as found:
            found.sendall(head("/api/heartbeats", "Content-Length: 400") + b"{" * (number % 3))
    assert (
        httpx.post(f"{world.url}/api/heartbeats", content=b"", headers=bearer("node1"), timeout=LONG).status_code == 422
    )
