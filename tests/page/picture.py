"""The pictures in docs/: `python tests/page/picture.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stage import browser, serving, staged

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
