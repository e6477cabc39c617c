"""What the page shows, with and without JavaScript, and how it follows what happens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from stage import World


def seen(page: Page) -> None:
    """Everything that the fleet's state comes to."""
    expect(page).to_have_title(re.compile(r"vault1: 3 nodes: 1 late, 1 silent"))
    for name in ("Clashes", "Open signals", "Nodes", "node1", "node2", "node3"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Clashes")).to_contain_text("container notes runs on node1 and node2")
    expect(page.get_by_role("region", name="Open signals")).to_contain_text("may-break on node node1: new kernel")
    node1, node2, node3 = (page.get_by_role("article", name=f"node{number}") for number in (1, 2, 3))
    expect(node1).to_contain_text(re.compile(r"fresh, \d+ s"))
    expect(node1.get_by_role("row", name="notes runs cron.service, notes.service")).to_be_visible()
    expect(node1.get_by_role("row", name="tank/data/notes fresh, 12 min")).to_be_visible()
    expect(node1.get_by_role("table", name="Replicas, RPO 1 h")).to_be_visible()
    expect(node1).to_contain_text(re.compile(r"Last rebuild\s*\d+ d"))
    expect(node2).to_contain_text("late, 2 min")
    expect(node2).to_contain_text("tank/data/ledger: stale, 2 h 10 min (RPO 1 h)")
    expect(node3).to_contain_text("silent, 66 min")
    expect(node3).to_contain_text(re.compile(r"Last rebuild\s*never"))


def test_it_shows_how_the_fleet_is(world: World, tab: Page) -> None:
    tab.goto(world.url)
    seen(tab)
    expect(tab.get_by_text("this page does so by itself")).to_be_visible()
    expect(tab.get_by_text("What you see is old")).to_be_hidden()


def test_it_is_whole_without_javascript(world: World, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(world.url)
    seen(page)
    expect(page.get_by_text("this page does so by itself")).to_be_hidden()
    world.beat("node2", containers={})
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("article", name="node2")).to_contain_text("fresh, ")
    context.close()


def test_it_follows_what_happens_without_being_loaded_again(world: World, tab: Page) -> None:
    tab.goto(world.url)
    tab.evaluate("window.stays = true")
    tab.get_by_role("link", name="Look again").focus()
    _until(lambda: world.listening == 1)
    world.beat("node2", containers={})
    world.tell()
    expect(tab.get_by_role("article", name="node2")).to_contain_text("fresh, ")
    expect(tab.get_by_role("heading", name="Clashes")).to_have_count(0)
    expect(tab).to_have_title(re.compile("1 silent, 1 behind on replicas, 1 open signal$"))
    assert tab.evaluate("window.stays") is True
    expect(tab.get_by_role("link", name="Look again")).to_be_focused()


def test_many_events_are_few_looks(world: World, tab: Page) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if request.url == world.url else None)
    tab.goto(world.url)
    _until(lambda: world.listening == 1)
    with tab.expect_request(world.url):
        for _ in range(200):
            world.tell()
    tab.wait_for_timeout(2500)
    assert 2 <= len(asked) <= 5


def test_as_time_goes_by_it_looks_again(world: World, tab: Page) -> None:
    tab.clock.install()
    tab.goto(world.url)
    world.beat("node2", containers={})
    tab.clock.fast_forward(16_000)
    expect(tab.get_by_role("article", name="node2")).to_contain_text("fresh, ")


def test_a_vault_that_is_gone_is_said_and_what_is_shown_is_called_old(
    world: World, tab: Page, complaints: list[str]
) -> None:
    tab.goto(world.url)
    _until(lambda: world.listening == 1)
    tab.route(world.url, lambda route: route.abort())
    world.tell()
    expect(tab.get_by_role("alert")).to_contain_text("What you see is old.")
    tab.unroute(world.url)
    world.tell()
    expect(tab.get_by_text("What you see is old")).to_be_hidden()
    complaints.clear()  # the aborted request itself


def test_what_people_sent_is_text(world: World, tab: Page) -> None:
    nasty = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
    world.signal(token="5d42", reason=nasty, by="{{ 7 * 7 }}")
    world.beat("node1", containers={"notes": {"services": [nasty]}}, pools={"tank": nasty})
    tab.on("dialog", lambda dialog: pytest.fail("a script ran"))
    tab.goto(world.url)
    expect(tab.get_by_role("region", name="Open signals")).to_contain_text(f"{nasty} ({{{{ 7 * 7 }}}},")
    expect(tab.get_by_role("article", name="node1").get_by_role("row", name="notes runs")).to_contain_text(nasty)


def test_foreign_script_does_not_run(world: World, tab: Page, complaints: list[str]) -> None:
    """Were a hole ever found in the escaping, the page's policy still lets nothing else run."""
    tab.goto(world.url)
    ran = tab.evaluate(
        """() => { const made = document.createElement("script"); made.textContent = "window.ran = true";
        document.body.append(made); return window.ran === true; }"""
    )
    assert ran is False
    assert "Content Security Policy" in complaints.pop()


def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
