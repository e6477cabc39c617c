"""projects/NAME/DIGEST/ on a vault: what a release is, its units, and a link to its archive. Run for real."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_vault_upload import names, run

from blackstart.project import pack
from blackstart.vault import layout, stock
from blackstart.vault.stock import Item

FOLDER = layout.PROJECTS.lstrip("/")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in (layout.PROJECTS, "/var/tmp"):
        (tmp_path / folder.lstrip("/")).mkdir(parents=True)
    return tmp_path


def brought(root: Path, **files: str) -> Item:
    """A release of these files, uploaded beside its place."""
    source = root / "source"
    for name, text in files.items():
        path = source / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    archive = pack(source)
    sha256 = hashlib.sha256(archive).hexdigest()
    item = Item("project", "web", sha256, f"{sha256}.tar", layout.PROJECTS)
    (root / stock.beside(item.folder, item.file).lstrip("/")).write_bytes(archive)
    return item


def test_a_release_is_found_by_its_projects_name(root: Path) -> None:
    files = {"web_service": "[Service]\n", "web_timer": "[Timer]\n", "web_py": "pass\n", "sub__other_service": "no"}
    item = brought(root, **files)
    assert run(root, stock.take(item)) == 0
    place = root / FOLDER / "web" / item.sha256[:12]
    assert names(place) == ["project.json", "release.tar", "web.service", "web.timer"]
    assert hashlib.sha256((place / "release.tar").read_bytes()).hexdigest() == item.sha256
    about = json.loads((place / "project.json").read_text())
    assert about == {"format": 1, "project": "web", "digest": f"sha256:{item.sha256}"}
    assert names(root / FOLDER) == sorted([item.file, "web"])
    assert {path.stat().st_mode & 0o777 for path in (place, place / "web.service")} <= {0o755, 0o644}


def test_it_is_repeatable_and_two_may_come_at_once(root: Path) -> None:
    item = brought(root, web_service="[Service]\n")
    assert run(root, stock.take(item)) == 0
    with ThreadPoolExecutor() as runs:
        assert set(runs.map(lambda _: run(root, stock.shelve(item)), range(3))) == {0}
    for path in (root / FOLDER / "web" / item.sha256[:12]).iterdir():
        path.unlink()
    (root / FOLDER / "web" / item.sha256[:12]).rmdir()
    with ThreadPoolExecutor() as runs:
        assert set(runs.map(lambda _: run(root, stock.shelve(item)), range(3))) == {0}
    assert names(root / FOLDER) == sorted([item.file, "web"])
    assert "web.service" in names(root / FOLDER / "web" / item.sha256[:12])


def test_a_release_without_units_has_its_place_too(root: Path) -> None:
    item = brought(root, web_py="pass\n")
    assert run(root, stock.take(item)) == 0
    assert names(root / FOLDER / "web" / item.sha256[:12]) == ["project.json", "release.tar"]


def test_another_archive_is_not_shelved(root: Path) -> None:
    item = brought(root, web_service="[Service]\n")
    (root / stock.beside(item.folder, item.file).lstrip("/")).write_bytes(b"cut off")
    assert run(root, stock.take(item)) != 0
    assert not (root / FOLDER / "web").exists()
    (root / FOLDER / item.file).write_bytes(b"damaged later")
    assert run(root, stock.shelve(item)) != 0 and not (root / FOLDER / "web").exists()
