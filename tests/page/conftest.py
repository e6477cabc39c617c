"""The page as a real Chromium shows it, from a real server. It needs what `make deps` installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from stage import World, browser, serving, staged


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serving(staged(tmp_path / "live")) as made:
        yield made


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """An empty tab. Whatever the browser complains of fails the test."""
    context = chromium.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.complaints = said  # type: ignore[attr-defined]
    yield page
    context.close()
    assert said == []
