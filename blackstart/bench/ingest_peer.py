"""The peer of bench.ingest: a handler as it is written first. `python -m blackstart.bench.ingest_peer FOLDER PORT`.

For each request: whose token it is, what it says, one line appended, one fsync, then the answer. Python's own server
with a thread for each connection, so that requests wait for the disk and not for each other.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from blackstart.serve.tokens import digest
from blackstart.vault.tokens import Token, load


def handler(tokens: dict[str, Token], file: int) -> type[BaseHTTPRequestHandler]:
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
            os.write(file, (json.dumps(said) + "\n").encode())
            os.fsync(file)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the other side logs nothing either."""

    return Handler


def main(folder: Path, port: int) -> None:
    tokens = {each.sha256: each for each in load((folder / "tokens.json").read_text(encoding="utf-8"))}
    file = os.open(folder / "rows", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ThreadingHTTPServer(("127.0.0.1", port), handler(tokens, file)).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
