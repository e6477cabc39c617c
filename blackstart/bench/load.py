"""Many connections that each send one heartbeat after the other: little of its own, so that the server is measured."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

PATIENCE = 30  # seconds without any answer


class Sender:
    """`who`: (node, its token), a connection each. `body`: of a node's heartbeat number N."""

    def __init__(self, port: int, who: list[tuple[str, str]], body: Callable[[str, int], bytes]) -> None:
        self._port, self._who, self._body = port, who, body
        self._sequence = 0

    def send(self, count: int) -> None:
        """Raises RuntimeError for an answer that is not 204."""
        each = -(-count // len(self._who))
        with selectors.DefaultSelector() as waiting:
            for node, token in self._who:
                requests = iter([self._request(node, token, self._sequence + n + 1) for n in range(each)])
                connection = socket.create_connection(("127.0.0.1", self._port))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(next(requests))
                waiting.register(connection, selectors.EVENT_READ, requests)
            while waiting.get_map():
                ready = waiting.select(PATIENCE)
                if not ready:
                    raise RuntimeError(f"no answer within {PATIENCE} s")
                for key, _ in ready:
                    self._next(waiting, key)
        self._sequence += each

    def _request(self, node: str, token: str, sequence: int) -> bytes:
        said = self._body(node, sequence)
        head = f"POST /api/heartbeats HTTP/1.1\r\nHost: vault1\r\nAuthorization: Bearer {token}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said

    def _next(self, waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        connection = key.fileobj
        assert isinstance(connection, socket.socket)
        answer = connection.recv(4096)
        if not answer.startswith(b"HTTP/1.1 204"):
            raise RuntimeError(f"answered with {answer[:200]!r}")
        request = next(key.data, None)
        if request is None:
            waiting.unregister(connection)
            connection.close()
        else:
            connection.sendall(request)
