"""The whole interface, asked by schemathesis as its own description says, and in every other way; on a real socket."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from serve_world import SECRETS, Served, bearer, folders, served

ENDLESS = "/api/events"
RANDOM = settings(
    deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("vault")
    folders(root)
    with served(root) as found:
        yield found


def asked(world: Served, who: str, mode: GenerationMode, examples: int) -> dict[str, set[int]]:
    """The statuses that each operation was answered with. Fails for an answer that is a fault of the service."""
    schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json", headers=bearer("operator"))
    operations = [each.ok() for each in schema.get_all_operations()]
    return {each.label: statuses(each, who, mode, examples) for each in operations if each.path != ENDLESS}


def statuses(operation: APIOperation, who: str, mode: GenerationMode, examples: int) -> set[int]:
    found: set[int] = set()
    described = operation.definition.raw["responses"]

    @settings(RANDOM, max_examples=examples)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        answer = case.call(headers=bearer(who), timeout=20)
        assert answer.status_code != 500, (case.as_curl_command(), answer.content)
        assert b"Traceback" not in answer.content
        if case.path == operation.path and case.method == operation.method.upper() and answer.status_code != 404:
            assert str(answer.status_code) in described, (case.as_curl_command(), answer.content)
        if 400 <= answer.status_code < 500:
            is_refusal(answer.json())
        found.add(answer.status_code)

    with suppress(Unsatisfiable):  # what takes no words cannot be asked with wrong ones
        ask()
    return found


def is_refusal(document: Any) -> None:
    """`{"detail": "one sentence"}`, as the interface says."""
    assert list(document) == ["detail"] and isinstance(document["detail"], str), document
    assert document["detail"] and document["detail"].isprintable() and len(document["detail"]) < 1000, document


def test_every_refusal_is_described_as_one_sentence(world: Served) -> None:
    made = world.get("/openapi.json").json()
    schemas = made["components"]["schemas"]
    assert schemas["Refusal"]["properties"]["detail"]["type"] == "string"
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)
    for path, item in made["paths"].items():
        for operation in item.values():
            for code, response in operation["responses"].items():
                if code.startswith("4") or (code == "503" and path != "/health"):
                    said = response["content"]["application/json"]["schema"]
                    assert said == {"$ref": "#/components/schemas/Refusal"}, (path, code)
            assert ({"401", "403", "503"} <= set(operation["responses"])) == ("security" in operation), path
    page = world.get("/docs").text
    assert "Validation Error" not in page and "Something in the request is not as described here." in page


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/nowhere", 404, "there is nothing at /nowhere; see /docs"),
        ("GET", "/a%0Ab%7Bx%7D", 404, "there is nothing at /a\\nb{x}; see /docs"),
        ("DELETE", "/api/nodes", 405, "/api/nodes does not take DELETE; see /docs"),
        ("PUT", "/api/heartbeats", 405, "/api/heartbeats does not take PUT; see /docs"),
        (
            "GET",
            "/api/timeline?most=0",
            422,
            "most in the query: input should be greater than or equal to 1; see /docs",
        ),
        ("GET", "/api/signals?state=x", 422, "state in the query: input should be 'open', 'closed' or 'expired'"),
        ("POST", "/api/signals", 422, "the body is no JSON object, or was not sent as application/json; see /docs"),
    ],
)
def test_what_nothing_takes_is_answered_in_the_same_shape(
    world: Served, method: str, path: str, status: int, said: str
) -> None:
    answer = httpx.request(method, f"{world.url}{path}", headers=bearer("operator"), timeout=60)
    assert answer.status_code == status
    is_refusal(answer.json())
    assert answer.json()["detail"].startswith(said)


@pytest.mark.parametrize(
    ("sent", "status"), [(b"GET\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"x" * 2**17 + b"\r\n", 431)]
)
def test_what_is_no_request_is_too(world: Served, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", int(world.url.rpartition(":")[2])), timeout=60) as client:
        client.sendall(sent)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == status
        is_refusal(json.loads(answer.read()))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_no_request_is_too_strange(world: Served, mode: GenerationMode) -> None:
    found = asked(world, "operator", mode, 6)
    assert {"GET /api/nodes", "POST /api/heartbeats", "POST /api/readings"} <= set(found)
    assert found["POST /api/heartbeats"] and found["POST /api/heartbeats"] <= {400, 401, 403, 405, 413, 422}


def test_what_a_node_may_say_breaks_nothing(world: Served) -> None:
    found = asked(world, "node1", GenerationMode.POSITIVE, 12)
    # The names that it makes up are of no node here.
    assert found["POST /api/heartbeats"] <= {204, 403, 409, 422} and found["GET /api/nodes"] == {403}


@pytest.mark.parametrize("who", SECRETS)
def test_no_token_does_more_than_its_scope(world: Served, who: str) -> None:
    for path in ("/api/nodes", "/api/nodes/node1", "/metrics", "/docs", "/openapi.json"):
        assert (world.get(path, who).status_code == 200) == (who == "operator"), path


def test_all_files_are_whole_after_that(world: Served) -> None:
    for path in Path(world.root / "live").rglob("*.json"):
        json.loads(path.read_text())
