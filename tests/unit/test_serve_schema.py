"""The whole interface, asked by schemathesis as its own description says, and in every other way; on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

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

    @settings(RANDOM, max_examples=examples)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        answer = case.call(headers=bearer(who), timeout=20)
        assert answer.status_code != 500, (case.as_curl_command(), answer.content)
        assert b"Traceback" not in answer.content
        found.add(answer.status_code)

    with suppress(Unsatisfiable):  # what takes no words cannot be asked with wrong ones
        ask()
    return found


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
