"""Releases of projects, and lock.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blackstart.lockfile import set_entry
from blackstart.project import ProjectError, digest, pack, release
from blackstart.spec.load import load_fleet

EXAMPLE = Path(__file__).parents[2] / "inventory"


def project(root: Path) -> Path:
    (root / "sub").mkdir(parents=True)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "sub" / "data").write_text("x")
    (root / "link").symlink_to("sub/data")
    return root


def test_the_examples_lock_is_its_folder() -> None:
    assert release(load_fleet(EXAMPLE), EXAMPLE, "notes")


def test_equal_content_is_an_equal_digest(tmp_path: Path) -> None:
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    os.utime(two / "run.sh", (1, 1))
    (two / "sub" / "data").chmod(0o600)
    (two / "__pycache__").mkdir()
    (two / "__pycache__" / "x.pyc").write_text("")
    assert pack(one) == pack(two)


@pytest.mark.parametrize("change", ["content", "mode", "name", "link"])
def test_a_change_is_another_digest(tmp_path: Path, change: str) -> None:
    root = project(tmp_path / "one")
    before = digest(pack(root))
    if change == "content":
        (root / "sub" / "data").write_text("y")
    elif change == "mode":
        (root / "run.sh").chmod(0o644)
    elif change == "name":
        (root / "run.sh").rename(root / "go.sh")
    else:
        (root / "link").unlink()
        (root / "link").symlink_to("run.sh")
    assert digest(pack(root)) != before


def test_what_does_not_travel(tmp_path: Path) -> None:
    root = project(tmp_path / "one")
    (root / "out").symlink_to("../../etc")
    with pytest.raises(ProjectError, match="leads out of the project"):
        pack(root)
    (root / "out").unlink()
    os.mkfifo(root / "pipe")
    with pytest.raises(ProjectError, match="neither a file nor a folder nor a link"):
        pack(root)
    with pytest.raises(ProjectError, match="no such folder"):
        pack(tmp_path / "two")


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path / "one")
    scan = os.scandir

    def denied(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "sub":  # root reads folders of any mode, so the mode alone would show nothing
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(PermissionError):
        pack(root)


def test_entries_are_written_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "lock.toml").write_text("# mine\nformat = 1\n")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: set_entry(tmp_path, "projects", f"p{index}", {"digest": "d"}), range(16)))
    text = (tmp_path / "lock.toml").read_text()
    assert text.startswith("# mine\n")
    assert tomllib.loads(text)["projects"] == {f"p{index}": {"digest": "d"} for index in range(16)}
    assert set_entry(tmp_path, "projects", "p1", {"digest": "d"}) is False
    assert set_entry(tmp_path, "images", "i", {"digest": "e", "size": 3}) is True
    assert tomllib.loads((tmp_path / "lock.toml").read_text())["images"] == {"i": {"digest": "e", "size": 3}}
    assert [path.name for path in tmp_path.iterdir()] == ["lock.toml"]
