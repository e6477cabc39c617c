"""Signals over HTTP: what is answered to whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from documents import valid
from drift_world import recorded
from serve_world import bearer, eventually, folders
from signal_world import World
from starlette.testclient import TestClient

from blackstart.live.codec import live_from_json
from blackstart.live.script import parse
from blackstart.serve.events import Events
from blackstart.serve.server import Place, application
from blackstart.signal import config, give, told
from blackstart.signal.here import Here
from blackstart.signal.nodes import Nodes

ASKED = {"scope": "node:node1", "severity": "may-break", "reason": "an upgrade"}


class Vault:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "vault"
        self.settings = folders(self.root)
        self.world = World(folder)
        self.path = folder / "signal.json"
        self.path.write_text(config.dump(self.world.config))
        monkeypatch.setattr(config, "PATH", str(self.path))
        monkeypatch.setattr(give, "Here", partial(Here, zfs=self._zfs, verbs=str(folder / "verbs")))
        monkeypatch.setattr(give, "Nodes", partial(Nodes, command=self.world._command))

    def _zfs(self, *words: str) -> str:
        """Of the vault: room in the pool, and no replica of anything."""
        return "10\tONLINE\n" if words[0] == "zpool" else "1\n"

    def client(self) -> TestClient:
        place = Place(self.root / "live", self.root / "serve.json", self.root / "tokens.json", usable=lambda: None)
        events = Events(place.live / "now" / "events.jsonl")
        return TestClient(application(place, self.settings, events))

    def events(self) -> list[dict[str, Any]]:
        lines = (self.root / "live/now/events.jsonl").read_text().splitlines()
        return [each for each in map(json.loads, lines) if each["kind"] == "signal"]


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    return Vault(tmp_path, monkeypatch)


@pytest.fixture
def client(vault: Vault) -> Iterator[TestClient]:
    with vault.client() as client:
        yield client


def give_one(client: TestClient, who: str = "operator", **more: Any) -> Any:
    return client.post("/api/signals", json=ASKED | more, headers=bearer(who))


def close(client: TestClient, token: str, outcome: str = "ok", who: str = "operator") -> Any:
    return client.post(f"/api/signals/{token}/close", json={"outcome": outcome}, headers=bearer(who))


def test_a_signal_is_given_read_and_closed(vault: Vault, client: TestClient) -> None:
    answer = give_one(client)
    assert answer.status_code == 201
    said = valid("signal", answer.json())
    assert said["state"] == "open" and len(said["nodes"]["node1"]["taken"]) == 5
    assert json.loads((vault.root / f"live/now/signals/{said['token']}.json").read_text()) == said
    token = said["token"]
    assert client.get(f"/api/signals/{token}", headers=bearer("operator")).json() == said
    assert client.get("/api/signals?state=open", headers=bearer("operator")).json()["signals"] == [said]
    closed = close(client, token, "failed")
    assert closed.status_code == 200 and valid("signal", closed.json())["outcome"] == "failed"
    assert client.get("/api/signals?state=open", headers=bearer("operator")).json()["signals"] == []
    assert close(client, token).status_code == 409
    opened, ended = vault.events()
    assert opened["text"].startswith("may-break on node:node1 by operator: an upgrade (open until ")
    assert ended["text"] == "failed: may-break on node:node1 by operator: an upgrade"
    assert (opened["node"], opened["data"]["severity"], ended["data"]["state"]) == ("node1", "may-break", "closed")


def test_the_same_key_is_answered_with_the_same_signal(client: TestClient) -> None:
    first, again = give_one(client, key="k"), give_one(client, key="k")
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert give_one(client, key="k", reason="other").status_code == 409


def test_others_see_and_close_their_own_alone(client: TestClient) -> None:
    own, other = give_one(client, "signal").json(), give_one(client).json()
    listed = client.get("/api/signals", headers=bearer("signal")).json()["signals"]
    assert [each["token"] for each in listed] == [own["token"]] and own["who"] == "signal"
    assert client.get(f"/api/signals/{other['token']}", headers=bearer("signal")).status_code == 404
    assert close(client, other["token"], who="signal").status_code == 409
    assert close(client, own["token"], who="signal").status_code == 200


@pytest.mark.parametrize("who", ["node1", "crm", ""])
def test_a_token_of_another_scope_gives_none(client: TestClient, who: str) -> None:
    headers = bearer(who) if who else {}
    assert client.post("/api/signals", json=ASKED, headers=headers).status_code == (403 if who else 401)
    assert client.get("/api/signals", headers=headers).status_code == (403 if who else 401)


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "node:../../etc"},
        {"scope": "node:node1\n"},
        {"severity": "breaks"},
        {"reason": ""},
        {"reason": "a\nb"},
        {"reason": "x" * 501},
        {"lifetime": 10**9},
        {"lifetime": "60"},
        {"lifetime": True},
        {"deadline": 0},
        {"without": "yes"},
        {"key": "a\tb"},
        {"more": 1},
    ],
)
def test_what_is_no_signal_is_refused(vault: Vault, client: TestClient, more: dict[str, Any]) -> None:
    answer = give_one(client, **more)
    assert answer.status_code == 422
    said = told.Answer(422, answer.json()).refusal
    assert said == answer.json()["detail"] and said.isprintable() and next(iter(more)) in said
    assert vault.world.calls("zfs snapshot") == [] and vault.events() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"scope":"\\ud800"}', b"[" * 60_000])
def test_what_is_no_document_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/api/signals", content=body, headers=bearer("operator")).status_code in (400, 422)


def test_what_is_not_there_and_what_cannot_be_done_are_told_apart(vault: Vault, client: TestClient) -> None:
    assert give_one(client, scope="node:other").status_code == 404
    assert close(client, "0" * 16).status_code == 404 and close(client, "..%2f..").status_code == 404


def test_what_cannot_be_written_down_is_not_closed(vault: Vault, client: TestClient) -> None:
    """The dataset is full, read-only, or not mounted any more."""
    token = give_one(client).json()["token"]
    folder = vault.root / "live/now/signals"
    folder.rename(folder.with_name("away"))
    answer = close(client, token)
    assert answer.status_code == 503 and "could not be written down: No such file" in answer.json()["detail"]
    assert give_one(client).status_code == 503
    folder.with_name("away").rename(folder)
    assert client.get(f"/api/signals/{token}", headers=bearer("operator")).json()["state"] == "open"
    assert not vault.world.calls("zfs release -r blackstart-signal-" + token)
    assert close(client, token).json()["state"] == "closed"


def test_a_node_that_is_not_reached_is_named(vault: Vault) -> None:
    vault.world.lost.add("node2")
    with vault.client() as client:
        answer = give_one(client, scope="node:node2")
        assert answer.status_code == 503 and "node2: ssh: no route to host" in answer.json()["detail"]
        said = valid("signal", give_one(client, scope="fleet", without=True).json())
    assert said["missing"] == {"node2": "ssh: no route to host"}


def test_a_full_pool_is_refused_in_one_sentence(vault: Vault) -> None:
    vault.world.hosts["node1"].put("zpool", "tank\t99\tONLINE\n")
    with vault.client() as client:
        answer = give_one(client)
    assert answer.status_code == 409 and "node1: pool tank is 99 % full" in answer.json()["detail"]


def test_a_vault_that_was_told_nothing_of_signals_does_the_rest_of_its_work(vault: Vault) -> None:
    vault.path.unlink()
    with vault.client() as client:
        answer = give_one(client)
        assert answer.status_code == 503 and "next: pyinfra inventory deploys/vault.py" in answer.json()["detail"]
        assert client.get("/health").status_code in (200, 503)


def test_what_ran_is_the_nodes_newest_reading_whatever_became_of_the_signal(vault: Vault) -> None:
    folder = vault.world.hosts["node1"].folder
    (folder / "said").write_text(recorded())
    (folder / "bin/read").write_text(f"#!/bin/sh\n/bin/cat >/dev/null; exec /bin/cat {folder / 'said'}\n")
    now = vault.root / "live/node1/now"
    with vault.client() as client:
        answer = give_one(client, severity="will-break")
        assert answer.status_code == 503 and "were not pulled" in answer.json()["detail"]
    assert live_from_json(json.loads((now / "state.json").read_text())) == parse(recorded())
    assert not list(now.glob("signal-*"))


def test_health_is_answered_while_a_node_is_being_read(vault: Vault) -> None:
    node = vault.world.hosts["node1"]
    node.program(
        "read", 'cat >/dev/null; : >"$STATE/reads"; until [ -e "$STATE/go" ]; do /bin/sleep 0.1; done; echo BEGIN'
    )
    with vault.client() as client:
        answers: list[Any] = []
        work = threading.Thread(
            target=lambda: answers.append(give_one(client, severity="will-break", scope="node:node1"))
        )
        work.start()
        assert eventually((node.folder / "reads").exists)
        assert client.get("/health").json()["format"] == 1 and not answers
        node.put("go", "")
        work.join()
    # Nothing answers behind the socket of verbs.
    assert answers[0].status_code == 503 and "were not pulled" in answers[0].json()["detail"]
