"""Peers of bench.ingest: a handler without any framework.

`python -m blackstart.bench.ingest_peer FOLDER PORT [WORDS]`. For each request: whose token it is, what it says, then
one row in the PostgreSQL that WORDS lead to, committed, or without them one line appended, one fsync; then the answer.
Python's own server with a thread for each connection, and connections to the database that stay, as web frameworks
have them: requests wait for the disk and not for each other.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from blackstart.serve.tokens import digest
from blackstart.vault.tokens import Token, load

Keep = Callable[[dict[str, Any]], None]


def handler(tokens: dict[str, Token], keep: Keep) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def do_POST(self) -> None:
            token = tokens.get(digest(self.headers["Authorization"].removeprefix("Bearer ").encode()))
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if token is None or token.node != said["node"]:
                self.send_error(403)
                return
            keep(said)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the other side logs nothing either."""

    return Handler


def lines(path: Path) -> Keep:
    """Append and sync each."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def keep(said: dict[str, Any]) -> None:
        os.write(file, (json.dumps(said) + "\n").encode())
        os.fsync(file)

    return keep


def rows(words: str) -> Keep:
    """One row each (see postgres.TABLE)."""
    import psycopg  # for this alone

    free: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()

    def keep(said: dict[str, Any]) -> None:
        try:
            connection = free.get_nowait()
        except queue.Empty:
            connection = psycopg.connect(words, autocommit=True)
        connection.execute(
            "insert into heartbeats (node, said) values (%s, %s)", (said["node"], json.dumps(said)), prepare=True
        )
        free.put(connection)

    return keep


class Server(ThreadingHTTPServer):
    """With room for all that come at once: of five, as Python has it, most wait a second until they try again."""

    request_queue_size = 1024


def main(folder: Path, port: int, words: str = "") -> None:
    tokens = {each.sha256: each for each in load((folder / "tokens.json").read_text(encoding="utf-8"))}
    keep = rows(words) if words else lines(folder / "rows")
    Server(("127.0.0.1", port), handler(tokens, keep)).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
