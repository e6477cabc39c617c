"""The page as a real Chromium shows it, from a real server. It needs what `make deps` installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from stage import World, browser, serving, staged

expect.set_options(timeout=20_000)  # a machine may have other work


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serving(staged(tmp_path / "live")) as made:
        yield made


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of in `tab`: it fails the test that does not take it away."""
    return []


@pytest.fixture
def tab(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    """An empty tab."""
    context = chromium.new_context()
    page = context.new_page()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
