"""A small service that never stops writing: it shows what a rebuild brings back, and what it does not.

Python's standard library only. Answers in JSON: GET /health, GET /count, GET /notes?since=ID (1000 rows at most).
Each row holds the digest of the one before it, so a gap or a change in the middle cannot hide.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

DATABASE = Path(os.environ.get("NOTES_DATABASE", "/var/lib/notes/notes.sqlite"))
PORT = int(os.environ.get("PORT", "8100"))
PERIOD = 0.2  # seconds from one row to the next

_SCHEMA = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, written REAL NOT NULL, chain TEXT NOT NULL)"


def connect() -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return."""
    connection = sqlite3.connect(DATABASE, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def add(connection: sqlite3.Connection) -> None:
    """One more row, chained to the last one."""
    last = connection.execute("SELECT id, chain FROM notes ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
    number = last[0] + 1
    chain = hashlib.sha256(f"{last[1]}{number}".encode()).hexdigest()
    connection.execute("INSERT INTO notes VALUES (?, ?, ?)", (number, time.time(), chain))
    connection.commit()


def write_for_ever() -> None:
    """The background writer. An error ends the process: systemd starts it again, and nobody is fooled."""
    try:
        connection = connect()
        while True:
            add(connection)
            time.sleep(PERIOD)
    except BaseException as error:
        print(f"writer: {error}", flush=True)
        os._exit(1)


class Handler(BaseHTTPRequestHandler):
    """Read-only answers, each from the database itself."""

    def do_GET(self) -> None:
        """Answer one request; 503 where the database does not."""
        url = urlsplit(self.path)
        try:
            connection = connect()
            try:
                answer = self.answer(connection, url.path, parse_qs(url.query))
            finally:
                connection.close()
        except (sqlite3.Error, ValueError) as error:
            self.reply(503, {"error": str(error)})
        else:
            self.reply(200 if answer is not None else 404, answer if answer is not None else {"error": "no such page"})

    def answer(self, connection: sqlite3.Connection, path: str, query: dict[str, list[str]]) -> object:
        """The data of a page, None where there is no such page."""
        if path in ("/health", "/count"):
            count, last = connection.execute("SELECT count(*), coalesce(max(id), 0) FROM notes").fetchone()
            return {"ok": True, "count": count, "last": last}
        if path == "/notes":
            since = int(query.get("since", ["0"])[0])
            rows = connection.execute(
                "SELECT id, written, chain FROM notes WHERE id > ? ORDER BY id LIMIT 1000", (since,)
            )
            return [{"id": number, "written": written, "chain": chain} for number, written, chain in rows]
        return None

    def reply(self, status: int, answer: object) -> None:
        """Send one JSON document."""
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes every few seconds are no news."""


def main() -> None:
    """Serve until stopped."""
    with connect() as connection:
        connection.execute(_SCHEMA)
    connection.close()
    threading.Thread(target=write_for_ever, daemon=True).start()
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
