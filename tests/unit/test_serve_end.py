"""The end of the service: what was asked is answered, and nobody holds it up who does not do their part."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from serve_world import Served, bearer, certified, folders, served

SOON = 8  # seconds, of a busy machine; the grace for what is under way is 10


def connected(world: Served) -> socket.socket:
    """A client with room for little, so that what it does not read is soon everybody's concern."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.connect(("127.0.0.1", int(world.url.rpartition(":")[2])))
    return found


def head(method: str, path: str, *lines: str, who: str = "operator") -> bytes:
    token = f"Authorization: {bearer(who)['Authorization']}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: vault1", token, *lines, "", ""]).encode()


def listens_and_does_not_read(world: Served) -> socket.socket:
    found = connected(world)
    found.sendall(head("GET", "/api/events", "Last-Event-ID: 0"))
    return found


def sends_half_of_it(world: Served) -> socket.socket:
    found = connected(world)
    found.sendall(head("POST", "/api/heartbeats", "Content-Length: 1000", who="node1"))
    return found


@pytest.mark.parametrize("client", [listens_and_does_not_read, sends_half_of_it])
def test_who_does_not_do_their_part_is_not_waited_for(
    tmp_path: Path, client: Callable[[Served], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENCE", "20")
    folders(tmp_path)
    event = {"format": 1, "at": 1, "kind": "service", "node": "", "text": "x" * 1000, "data": {}}
    lines = "".join(json.dumps(event | {"id": number}) + "\n" for number in range(1, 9000))
    (tmp_path / "live/now/events.jsonl").write_text(lines)
    with served(tmp_path) as world, client(world):
        time.sleep(1.5)  # it has sent what there is room for
        code, seconds, said = ended(world)
    assert code in (0, -15) and seconds < SOON and "Traceback" not in said, said


def test_a_client_that_stays_silent_at_the_end_of_tls_is_not_waited_for(tmp_path: Path) -> None:
    folders(tmp_path)
    certified(tmp_path)
    context = ssl._create_unverified_context()
    with served(tmp_path) as world, context.wrap_socket(connected(world)) as client:
        client.sendall(head("GET", "/health"))
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        code, seconds, said = ended(world)
    assert code in (0, -15) and seconds < SOON and "Traceback" not in said, said


def test_what_is_being_answered_is_answered(tmp_path: Path) -> None:
    """A history that takes its time to read."""
    folders(tmp_path)
    with served(tmp_path) as world, httpx.Client(headers=bearer("operator"), timeout=30) as client:
        assert client.get(f"{world.url}/health").status_code == 200
        with client.stream("GET", f"{world.url}/api/timeline") as answer:
            world.process.terminate()
            assert answer.status_code == 200 and json.loads(answer.read())["entries"] == []


def ended(world: Served) -> tuple[int, float, str]:
    """Exit status, seconds, and what it said, of a service that is asked to end."""
    began = time.monotonic()
    world.process.terminate()
    said = world.process.communicate(timeout=30)[1]
    return world.process.returncode, time.monotonic() - began, said
