"""The service as a process: what it takes and refuses, what it writes, and what a kill leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from documents import valid
from serve_world import BOOT, LONG, PROGRAM, SECRETS, Served, bearer, beat, eventually, folders, served, tokens

from blackstart.serve.tokens import PROMPT
from blackstart.vault import files


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("vault")
    folders(root)
    with served(root) as found:
        yield found


def now(served: Served, node: str = "node1") -> Path:
    return served.root / "live" / node / "now"


def test_a_heartbeat_is_on_the_disk_and_known(world: Served) -> None:
    answer = world.post(beat(sequence=10))
    assert (answer.status_code, answer.content) == (204, b"")
    assert b'"sequence":10' in (world.root / "live/now/heartbeats.wal").read_bytes()
    kept = valid("kept-heartbeat", eventually((now(world) / "heartbeat.json").read_text))
    assert {key: kept[key] for key in beat()} == beat(sequence=10)
    assert kept["received"] > 1_700_000_000 and kept["status"] == "ok"
    container = valid("container", eventually((now(world) / "containers/crm.json").read_text))
    assert container["running"] and container["services"] == ["crm.service"]
    assert valid("service", eventually((now(world) / "services/crm/crm.service.json").read_text))["running"]
    entry = valid("index", world.get("/api/nodes").json())["nodes"]["node1"]
    assert (entry["heard"], entry["sequence"], entry["containers"]) == ("fresh", 10, ["crm"])
    assert valid("node", world.get("/api/nodes/node1").json())["heartbeat"]["boot_id"] == BOOT
    assert world.get("/api/nodes").json()["nodes"]["node2"]["heard"] == "unknown"


def test_containers_that_a_node_could_not_read_are_not_known_and_stay_as_they_were(tmp_path: Path) -> None:
    folders(tmp_path)
    with served(tmp_path) as world:
        assert world.post(beat(sequence=1)).status_code == 204
        kept = eventually((now(world) / "services/crm/crm.service.json").read_text)
        assert world.post(beat(sequence=2, containers=None)).status_code == 204
        whole = eventually(lambda: json.loads((now(world) / "heartbeat.json").read_text())["sequence"] == 2)
        assert whole and valid("index", world.get("/api/nodes").json())["nodes"]["node1"]["containers"] is None
        assert (now(world) / "services/crm/crm.service.json").read_text() == kept
        assert world.get("/health", "").json()["why"] == []
    lines = (tmp_path / "live/now/events.jsonl").read_text().splitlines()
    assert [json.loads(each)["text"] for each in lines] == ["node1 was heard for the first time"]


def test_what_was_sent_before_is_refused_and_changes_nothing(world: Served) -> None:
    world.post(beat("node2", 5), "node2")
    before = world.get("/api/nodes/node2").json()["received"]
    for again in (beat("node2", 5), beat("node2", 4)):
        answer = world.post(again, "node2")
        assert answer.status_code == 409 and "is not after 5" in answer.json()["detail"]
    assert world.get("/api/nodes/node2").json()["received"] == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {'f' * 64}"}, 401),
        ({"Authorization": f"Basic {SECRETS['node1']}"}, 401),
        ({"Authorization": f"Bearer {SECRETS['node1']}x"}, 401),
        ({"Authorization": b"Bearer \xff\xfe"}, 401),
        (bearer("operator"), 403),
        (bearer("signal"), 403),
        (bearer("node2"), 403),
        (bearer("crm"), 422),
    ],
)
def test_nobody_else_speaks_for_a_node(world: Served, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{world.url}/api/heartbeats", json=beat(sequence=99), headers=headers, timeout=LONG)
    assert answer.status_code == status and answer.json()["detail"]
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert world.get("/api/nodes").json()["nodes"]["node1"]["sequence"] != 99


def test_a_node_that_left_the_fleet_is_refused(tmp_path: Path) -> None:
    folders(tmp_path, "vault1")
    with served(tmp_path) as world:
        answer = world.post(beat())
        assert answer.status_code == 403 and "not of this vault's fleet" in answer.json()["detail"]


def test_a_token_that_is_revoked_counts_no_more(world: Served) -> None:
    files.replace(world.root / "tokens.json", tokens("node1"))
    time.sleep(PROMPT)
    assert world.post(beat(sequence=20)).status_code == 401
    (world.root / "tokens.json").write_text("{")
    time.sleep(PROMPT)
    answer = world.post(beat(sequence=20))
    assert answer.status_code == 503 and "list of tokens" in answer.json()["detail"]
    files.replace(world.root / "tokens.json", tokens())
    time.sleep(PROMPT)
    assert world.post(beat(sequence=20)).status_code == 204


def test_a_service_speaks_for_itself_alone(world: Served) -> None:
    said = {"format": 1, "node": "node1", "service": "crm", "sequence": 7, "status": "degraded", "text": "slow"}
    assert world.post(said, "crm").status_code == 204
    valid("service-heartbeat", said)
    kept = valid("service-heartbeat", eventually((now(world) / "services/crm.json").read_text))
    assert (kept["status"], kept["text"]) == ("degraded", "slow")
    assert world.post(said, "crm").status_code == 409
    assert world.post(said | {"sequence": 8, "service": "web"}, "crm").status_code == 403
    assert world.post(said | {"sequence": 8, "node": "node2"}, "crm").status_code == 403


def test_reading_takes_a_token_of_an_operator(world: Served) -> None:
    for path in ("/api/nodes", "/api/nodes/node1", "/metrics", "/docs", "/openapi.json", "/"):
        assert world.get(path, "").status_code == 401, path
        assert world.get(path, "node1").status_code == 403, path
    assert world.get("/api/nodes", "", auth=("anybody", SECRETS["operator"])).status_code == 200
    assert world.get("/api/nodes", "", auth=("anybody", "wrong")).status_code == 401
    assert world.get("/api/nodes/nobody").status_code == 404


def test_health_says_how_the_service_is(world: Served) -> None:
    found = world.get("/health", "")
    assert found.status_code == 200 and valid("health", found.json())["status"] == "ok"
    assert eventually(lambda: world.get("/health", "").json()["uptime"] > 0)
    (world.root / "unmounted").touch()
    ill = world.get("/health", "")
    answer = world.post(beat(sequence=30))
    (world.root / "unmounted").unlink()
    assert ill.status_code == 503 and "is not mounted" in ill.json()["why"][0]
    assert answer.status_code == 503 and "is not mounted" in answer.json()["detail"]
    assert world.post(beat(sequence=30)).status_code == 204
    assert world.get("/health", "").json()["last_write"] > 1_700_000_000


@pytest.mark.parametrize(
    ("lies_there", "said"),
    [
        ("nothing", "is not there; next: pyinfra inventory deploys/site.py"),
        ("{", "holds no list of tokens; next: move it away, then pyinfra inventory deploys/site.py"),
        ("[" * 100_000, "holds no list of tokens; next: move it away"),
        ('{"format": 1, "tokens": ["s3cret"]}', "holds no list of tokens; next: move it away"),
        ("a folder", ": Is a directory; see: ls -ld"),
        ("a link to itself", ": Too many levels of symbolic links; see: ls -ld"),
        ("in no folder", ": Not a directory; see: ls -ld"),
    ],
    ids=lambda text: text[:20],
)
def test_tokens_that_cannot_be_judged_are_said_and_none_is_taken(tmp_path: Path, lies_there: str, said: str) -> None:
    folders(tmp_path)
    path = tmp_path / "tokens.json"
    with served(tmp_path) as world:
        assert world.get("/health", "").json()["status"] == "ok" and world.post(beat()).status_code == 204
        path.unlink()
        if lies_there == "a folder":
            path.mkdir()
        elif lies_there in ("a link to itself", "in no folder"):
            path.symlink_to("tokens.json" if lies_there == "a link to itself" else "serve.json/tokens.json")
        elif lies_there != "nothing":
            path.write_text(lies_there)
        time.sleep(PROMPT)
        ill = world.get("/health", "")
        assert ill.status_code == 503 and valid("health", ill.json())["status"] == "degraded"
        (why,) = ill.json()["why"]
        assert why.startswith(f"no token can be judged, so every heartbeat is refused: {path}") and said in why
        assert "s3cret" not in why and "\n" not in why
        for answer in (world.post(beat(sequence=2)), world.get("/api/nodes"), world.get("/api/events")):
            assert answer.status_code == 503 and "cannot judge any token" in answer.json()["detail"]
        if path.is_dir():
            path.rmdir()
        files.replace(path, tokens())
        time.sleep(PROMPT)
        assert world.get("/health", "").json()["why"] == [] and world.post(beat(sequence=2)).status_code == 204


def test_numbers_are_as_prometheus_reads_them(world: Served) -> None:
    assert httpx.post(f"{world.url}/api/heartbeats", timeout=LONG).status_code == 401
    text = world.get("/metrics").text
    assert "blackstart_up 1\n" in text and "# TYPE blackstart_heartbeats_total counter\n" in text
    assert 'blackstart_heartbeats_refused_total{status="401"}' in text
    assert 'blackstart_node_heard{node="vault1",state="unknown"} 1\n' in text
    assert 'blackstart_heartbeat_age_seconds{node="vault1"}' not in text


def test_the_interface_is_described(world: Served) -> None:
    made = world.get("/openapi.json").json()
    assert {"/api/heartbeats", "/api/readings", "/api/nodes", "/health", "/metrics"} <= set(made["paths"])
    page = world.get("/docs").text
    assert "POST /api/heartbeats" in page and "boot_id" in page and "http" not in page.partition("<style>")[2][:400]


def test_a_second_service_on_one_vault_says_so(world: Served) -> None:
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(world.root)], capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert second.stderr.strip().startswith("another service runs on this vault already; see: systemctl status")
    assert world.get("/health", "").status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_outlives_the_service(tmp_path: Path, how: int) -> None:
    folders(tmp_path)
    with served(tmp_path) as first:
        assert first.post(beat(sequence=1)).status_code == 204
        assert first.post(beat(sequence=2)).status_code == 204
        eventually((tmp_path / "live/now/events.jsonl").read_text)  # it is written after the answer
        first.end(how)
    (tmp_path / "live/node1/now/heartbeat.json").unlink(missing_ok=True)
    with served(tmp_path) as second:
        assert second.get("/api/nodes/node1").json()["sequence"] == 2
        assert second.post(beat(sequence=2)).status_code == 409
        kept = eventually(lambda: json.loads((tmp_path / "live/node1/now/heartbeat.json").read_text()))
        assert kept["sequence"] == 2
        assert second.end() in (0, -signal.SIGTERM)
    events = [json.loads(line) for line in (tmp_path / "live/now/events.jsonl").read_text().splitlines()]
    assert [each["text"] for each in events] == ["node1 was heard for the first time"]
    assert json.loads((tmp_path / "live/now/index.json").read_text())["nodes"]["node1"]["heard"] == "fresh"
