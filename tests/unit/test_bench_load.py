"""Who sends heartbeats for a measurement: each is the next of its node, and its own work is not counted."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from blackstart.bench import load
from blackstart.bench.load import Sender

WHO = [("n1", "word1"), ("n2", "word2")]


class Answering(socketserver.StreamRequestHandler):
    """Takes requests until the other end closes."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        while self.rfile.readline():
            headers = dict(line.decode().strip().split(": ") for line in iter(self.rfile.readline, b"\r\n"))
            said = self.rfile.read(int(headers["Content-Length"])).decode()
            server.came.append((headers["Authorization"], said))
            self.wfile.write(b"HTTP/1.1 %s\r\n\r\n" % server.answer)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    answer = b"204 No Content"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.came: list[tuple[str, str]] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield made
        made.shutdown()


def sender(server: Server) -> Sender:
    return Sender(server.server_address[1], WHO, lambda node, sequence: f"{node} {sequence}".encode())


def of(server: Server, node: str) -> list[tuple[str, str]]:
    return [(word, said) for word, said in server.came if said.startswith(node)]


def test_each_node_sends_its_own_one_after_the_other_and_goes_on_where_it_was(server: Server) -> None:
    some = sender(server)
    some.send(3)  # the next multiple of two, and one for each connection
    assert len(server.came) == 6
    some.send(2)
    for node, word in WHO:
        assert of(server, node) == [(f"Bearer {word}", f"{node} {number}") for number in range(1, 6)]


def test_the_clock_runs_for_sending_alone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def clock() -> float:
        happened.append(f"clock, {len(server.came)} answered")
        return float(len(happened))

    def body(node: str, sequence: int) -> bytes:
        happened.append("made")
        return b"{}"

    monkeypatch.setattr(load.time, "perf_counter", clock)
    took = Sender(server.server_address[1], WHO, body).send(4)
    assert happened == ["made"] * 6 + ["clock, 2 answered", "clock, 6 answered"]
    assert took == 1 / 4


def test_what_is_refused_is_no_measurement(server: Server) -> None:
    server.answer = b"401 Unauthorized"
    with pytest.raises(RuntimeError, match="401"):
        sender(server).send(2)
