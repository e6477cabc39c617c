"""What the drill says of the service's rows: those that are missing are another thing than no answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from blackstart.drill import outside
from blackstart.drill.journal import DrillError

ROWS: list[dict[str, object]] = [{"id": number, "chain": f"c{number}"} for number in (1, 2, 3)]


class Service(BaseHTTPRequestHandler):
    answers: list[tuple[int, object]] = []

    def do_GET(self) -> None:
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_rows_that_are_all_there_with_newer_ones() -> None:
    assert outside.lost(ROWS[:2], ROWS) == "" == outside.lost(ROWS, ROWS)


def test_rows_that_are_missing_at_the_end() -> None:
    said = outside.lost(ROWS, ROWS[:2])
    assert said == "of 3 rows from before the snapshot the first 2 are there; nothing comes after them"


def test_rows_of_another_service() -> None:
    said = outside.lost(ROWS, [{"id": 1, "chain": "x"}])
    assert said.endswith("the first 0 are there; there is {'id': 1, 'chain': 'x'} instead of {'id': 1, 'chain': 'c1'}")


def test_one_that_answers_late_has_lost_nothing(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside.time, "sleep", lambda _seconds: None)
    Service.answers = [(503, {"error": "database is locked"}), (200, ROWS)]
    assert outside.rows(service) == ROWS


@pytest.mark.parametrize(
    ("answer", "why"), [((503, {}), "HTTP Error 503"), ((200, {"ok": True}), "it answered {'ok': True}")]
)
def test_one_that_tells_no_rows_is_not_said_to_have_lost_them(
    service: str, answer: tuple[int, object], why: str
) -> None:
    Service.answers = [answer]
    with pytest.raises(DrillError, match="did not tell its rows within 0 s") as said:
        outside.rows(service, within=0)
    assert why in str(said.value)


def test_one_that_is_not_there() -> None:
    with pytest.raises(DrillError, match="refused"):
        outside.rows("http://127.0.0.1:1", within=0)
