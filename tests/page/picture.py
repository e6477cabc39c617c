"""The pictures in docs/: `python tests/page/picture.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stage import browser, serving, staged

from blackstart.isolated.page import page as drill_page
from blackstart.isolated.result import load

DOCS = Path(__file__).parents[2] / "docs"
SIZES = {"status.png": (1280, 800), "status-phone.png": (390, 844)}

if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(staged(Path(folder) / "live")) as world,
        browser() as chromium,
    ):
        for name, (width, height) in SIZES.items():
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(world.url)
            page.screenshot(path=DOCS / name)
        # A drill as one was played on the lab's machines; its document lies beside the picture.
        report = Path(folder) / "drill.html"
        report.write_text(drill_page(load((DOCS / "drill.json").read_text())))
        page = chromium.new_page(viewport={"width": 1000, "height": 800})
        page.goto(report.as_uri())
        page.screenshot(path=DOCS / "drill.png", full_page=True)
