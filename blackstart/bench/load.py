"""Many connections that each send one heartbeat after the other: little of its own, so that the server is measured."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

PATIENCE = 30  # seconds without any answer

Requests = Iterator[bytes]


class Sender:
    """`who`: (node, its token), a connection each. `body`: of a node's heartbeat number N."""

    def __init__(self, port: int, who: list[tuple[str, str]], body: Callable[[str, int], bytes]) -> None:
        self._port, self._who, self._body = port, who, body
        self._sequence = 0

    def send(self, count: int) -> float:
        """How many seconds each of about `count` took, over connections that have sent one before.

        What is to be sent is made before the clock runs. Raises RuntimeError for an answer that is not 204.
        """
        each = -(-count // len(self._who))
        requests = [self._requests(node, token, 1 + each) for node, token in self._who]
        with ExitStack() as stack:
            connections = [stack.enter_context(_connection(self._port)) for _ in requests]
            _send([(one, iter([next(first)])) for one, first in zip(connections, requests, strict=True)])
            began = time.perf_counter()
            _send(list(zip(connections, requests, strict=True)))
            took = time.perf_counter() - began
        self._sequence += 1 + each
        return took / (each * len(requests))

    def _requests(self, node: str, token: str, count: int) -> Requests:
        first = self._sequence + 1
        return iter([_request(token, self._body(node, sequence)) for sequence in range(first, first + count)])


def _connection(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _request(token: str, said: bytes) -> bytes:
    head = f"POST /api/heartbeats HTTP/1.1\r\nHost: vault1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said


def _send(each: list[tuple[socket.socket, Requests]]) -> None:
    """All of them, on each connection the next one once the last was answered."""
    with selectors.DefaultSelector() as waiting:
        for connection, requests in each:
            waiting.register(connection, selectors.EVENT_READ, requests)
            connection.sendall(next(requests))
        while waiting.get_map():
            ready = waiting.select(PATIENCE)
            if not ready:
                raise RuntimeError(f"no answer within {PATIENCE} s")
            for key, _ in ready:
                _next(waiting, key)


def _next(waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    connection = key.fileobj
    assert isinstance(connection, socket.socket)
    answer = connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 204"):
        raise RuntimeError(f"answered with {answer[:200]!r}")
    request = next(key.data, None)
    if request is None:
        waiting.unregister(connection)
    else:
        connection.sendall(request)
