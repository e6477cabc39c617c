"""The page from the service itself: a browser that was asked for its password keeps the page up to date with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, HttpCredentials, Page, expect
from serve_world import SECRETS, Served, beat, eventually, folders, served


@pytest.fixture
def operator(chromium: Browser) -> Page:
    password = HttpCredentials(username="anybody", password=SECRETS["operator"])
    return chromium.new_context(http_credentials=password).new_page()


def heard(service: Served, node: str) -> bool:
    nodes = service.get("/api/status").json()["nodes"]
    return any(each["node"] == node and each["heard"] == "fresh" for each in nodes)


def test_an_operator_sees_the_fleet_and_what_changes(tmp_path: Path, operator: Page) -> None:
    folders(tmp_path)
    for node in ("node1", "node2"):
        (tmp_path / "live" / node / "heartbeat.json").symlink_to("now/heartbeat.json")
    with served(tmp_path) as service:
        assert service.post(beat()).status_code == 204
        eventually(lambda: heard(service, "node1"))
        operator.clock.install()
        operator.goto(f"{service.url}/")
        expect(operator.get_by_role("article", name="node1")).to_contain_text("crm.service")
        expect(operator.get_by_role("article", name="node2")).to_contain_text("unknown: never heard")
        assert service.post(beat("node2", containers={}), "node2").status_code == 204
        eventually(lambda: heard(service, "node2"))
        operator.clock.fast_forward(16_000)
        expect(operator.get_by_role("article", name="node2")).to_contain_text("fresh, ")
        expect(operator.get_by_text("What you see is old")).to_be_hidden()
        service.end()
        operator.clock.fast_forward(16_000)
        expect(operator.get_by_role("alert")).to_contain_text("What you see is old.")
    operator.context.close()


def test_nobody_sees_anything_without_a_token(tmp_path: Path, chromium: Browser) -> None:
    folders(tmp_path)
    with served(tmp_path) as service:
        page = chromium.new_context().new_page()
        answer = page.goto(f"{service.url}/")
        assert answer is not None and answer.status == 401 and "vault1" not in page.content()
        page.context.close()
