"""Readable on a phone, and with assistive technology: axe-core finds nothing, and would find something."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from stage import World

PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)
Scheme = Literal["light", "dark"]
LONGEST = "n" * 32


def opened(chromium: Browser, world: World, size: ViewportSize, scheme: Scheme = "light") -> Page:
    page = chromium.new_context(viewport=size, color_scheme=scheme).new_page()
    page.goto(world.url)
    expect(page.get_by_role("heading", name="Nodes", exact=True)).to_be_visible()
    return page


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Scheme, size: ViewportSize, world: World, chromium: Browser) -> None:
    page = opened(chromium, world, size, scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 15
    page.context.close()


def test_axe_would_find_something(world: World, chromium: Browser) -> None:
    page = opened(chromium, world, DESK)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.evaluate("document.querySelector('h1').style.setProperty('color', '#ccc')")
    assert {each["id"] for each in Axe().run(page).response["violations"]} == {"html-has-lang", "color-contrast"}
    page.context.close()


def test_nothing_runs_out_of_a_phones_screen(world: World, chromium: Browser) -> None:
    world.signal(token="f" * 16, reason="x" * 300)
    world.beat("node1", containers={LONGEST: {"services": ["s" * 200 + ".service"]}}, pools={"p" * 60: "ONLINE"})
    page = opened(chromium, world, PHONE)
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen == PHONE["width"]
    outside = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(x => x.getBoundingClientRect().right > innerWidth + 1).length"
    )
    small = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(x => parseFloat(getComputedStyle(x).fontSize) < 16).length"
    )
    assert (outside, small) == (0, 0)
    page.context.close()


def test_the_keyboard_leads_to_the_nodes(world: World, tab: Page) -> None:
    tab.goto(world.url)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the nodes")).to_be_focused()
    expect(tab.get_by_role("link", name="Skip to the nodes")).to_be_in_viewport()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Nodes", exact=True)).to_be_focused()
