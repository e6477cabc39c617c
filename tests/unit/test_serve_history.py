"""What the service says of what happened: as a stream that goes on where it was left, and as a history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_world import Chat, chat
from documents import valid
from serve_world import LONG, Served, bearer, beat, eventually, folders, served, tokens

from blackstart.serve.events import Event, Events, New
from blackstart.serve.routes.events import STREAMS, hears
from blackstart.serve.thin import thin
from blackstart.serve.tokens import PROMPT
from blackstart.vault import files
from blackstart.vault.tokens import Token


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("serve")
    folders(root)
    with served(root) as found:
        for sequence, containers in enumerate(({}, {"crm": {"services": []}}, {}), 1):
            assert found.post(beat(sequence=sequence, containers=containers)).status_code == 204
        assert found.post(beat("node2"), "node2").status_code == 204
        eventually(lambda: len(lines(root)) == 4)
        yield found


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "live/now/events.jsonl").read_text().splitlines()]


def heard(served: Served, count: int, who: str = "operator", last: str | None = "0") -> list[dict[str, Any]]:
    """The first events of a stream, each as its line of the file would be."""
    found: list[dict[str, Any]] = []
    headers = bearer(who) | ({} if last is None else {"Last-Event-ID": last})
    with httpx.stream("GET", f"{served.url}/api/events", headers=headers, timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                return found
    return found


def test_a_listener_who_was_away_for_too_long_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders(tmp_path)
    events = Events(tmp_path / "live/now/events.jsonl", lambda: 10)
    events.add_all(New("service", "", str(number)) for number in range(20))
    monkeypatch.setattr("blackstart.serve.thin.MOST", 5)
    assert thin(events, 100, 100) > 0
    with served(tmp_path) as found:
        for who in ("operator", "node1"):
            first, second = heard(found, 2, who, last="2")
            assert first["data"] == {"left_out": first["id"]} and first["id"] > 3 and "365 days" in first["text"]
            assert second["id"] == first["id"] + 1
        assert valid("events", first) and "left out" in found.get("/api/timeline").text


def test_a_stream_begins_where_the_listener_was(running: Served) -> None:
    assert heard(running, 4) == lines(running.root)
    assert [each["id"] for each in heard(running, 2, last="2")] == [3, 4]
    for each in lines(running.root):
        valid("events", json.dumps(each))


def test_a_node_hears_what_is_of_itself(running: Served) -> None:
    assert [each["node"] for each in heard(running, 1, "node2")] == ["node2"]
    event = Event(1, 1, "signal", "", "x", {})
    crm = Token("crm", "service", "node1", "crm", sha256="", since=1)
    assert hears(crm, event) and not hears(crm, Event(1, 1, "signal", "node2", "x", {}))


def test_one_token_has_so_many_streams_and_gets_them_back(running: Served) -> None:
    with ExitStack() as open_:
        client = open_.enter_context(httpx.Client(headers=bearer("crm"), timeout=20, limits=httpx.Limits()))
        for _ in range(STREAMS):
            stream = open_.enter_context(client.stream("GET", f"{running.url}/api/events"))
            lines_ = stream.iter_lines()
            open_.callback(lines_.close)  # it ends the stream
            assert next(lines_) == "retry: 3000"
        assert _begun(running, "crm") == 429 and _begun(running, "operator") == 200
    assert eventually(lambda: _begun(running, "crm") == 200)


def _begun(running: Served, who: str) -> int:
    with httpx.stream("GET", f"{running.url}/api/events", headers=bearer(who), timeout=20) as stream:
        return stream.status_code


def test_whose_token_is_revoked_hears_nothing_more(tmp_path: Path) -> None:
    folders(tmp_path)
    with (
        served(tmp_path) as found,
        httpx.stream("GET", f"{found.url}/api/events", headers=bearer("signal"), timeout=20) as stream,
    ):
        parts = stream.iter_lines()
        assert next(parts) == "retry: 3000"
        assert found.post(beat()).status_code == 204
        assert next(each for each in parts if each.startswith("data: "))
        files.replace(tmp_path / "tokens.json", tokens("signal"))
        time.sleep(PROMPT)
        assert found.post(beat("node2"), "node2").status_code == 204
        assert [each for each in parts if each] == []  # it ends


def test_who_may_not_hear(running: Served) -> None:
    assert running.get("/api/events", "").status_code == 401
    assert running.get("/api/timeline", "node1").status_code == 403
    assert (
        httpx.get(
            f"{running.url}/api/events", headers=bearer("operator") | {"Last-Event-ID": "x"}, timeout=LONG
        ).status_code
        == 422
    )


def test_the_history(running: Served) -> None:
    found = valid("timeline", running.get("/api/timeline").text)
    assert [each["text"] for each in found["entries"]] == [each["text"] for each in lines(running.root)]
    assert [each["node"] for each in running.get("/api/timeline?node=node2").json()["entries"]] == ["node2"]
    newest = running.get("/api/timeline?most=1").json()
    assert newest["more"] and len(newest["entries"]) == 1
    assert running.get(f"/api/timeline?since={int(time.time()) + 100}").json()["entries"] == []
    assert running.get("/api/timeline?node=../x").status_code == 422
    nobody = running.get("/api/timeline?node=nobody")
    assert nobody.status_code == 404 and "no node nobody was ever known here" in nobody.json()["detail"]


def test_people_are_told_of_silence_and_an_open_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    folders(tmp_path, "node1", period=1, grace=0)
    with chat() as place:
        (tmp_path / "announce").write_text(f"silent={place.url}\nwill-break=json://127.0.0.1:1\n")
        _told(tmp_path, place)


def _told(tmp_path: Path, place: Chat) -> None:
    with served(tmp_path) as found:
        assert found.post(beat()).status_code == 204
        eventually(lambda: place.taken, 60)
        assert place.taken[0]["title"] == "blackstart vault1: silent: node1"
        assert "node1 is silent: no heartbeat for" in place.taken[0]["message"]
        with httpx.stream("GET", f"{found.url}/api/events", headers=bearer("operator"), timeout=20) as stream:
            began = time.monotonic()
            assert found.end() in (0, -15)  # uvicorn ends by the signal itself
            assert time.monotonic() - began < 8  # uvicorn's grace is 10
            assert stream.status_code == 200
