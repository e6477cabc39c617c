"""Files of the fleet's folder that would not be read, or not as they were meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import problems, write

from blackstart.spec.load import read_fleet
from blackstart.spec.problem import SpecError


@pytest.mark.parametrize("name", ["db2.tml", "db2.TOML", "db2"])
def test_a_file_that_would_not_be_read_is_said(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / "containers" / name).write_text("format = 1\n")
    with pytest.raises(SpecError, match=f"containers/{name}: would not be read: .* rename it to db2.toml"):
        read_fleet(tmp_path)


@pytest.mark.parametrize("name", ["containers/db2.yaml", "nodes/db2.yml", "lock.yaml", "Waivers.yml"])
def test_so_is_one_in_yaml(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).write_text("format: 1\n")
    with pytest.raises(SpecError, match=rf"^{name}: would not be read: it is YAML; write it as TOML, in \w+\.toml$"):
        read_fleet(tmp_path)


@pytest.mark.parametrize("name", ["containers/web/db2.toml", "nodes/a/b/db2.toml"])
def test_so_is_one_in_a_folder_of_its_own(tmp_path: Path, name: str) -> None:
    stray = write(tmp_path) / name
    stray.parent.mkdir(parents=True)
    stray.write_text("format = 1\n")
    folder = name.partition("/")[0]
    said = f"^{name}: would not be read: only files right in {folder}/ are; move it to {folder}/db2.toml$"
    with pytest.raises(SpecError, match=said):
        read_fleet(tmp_path)


@pytest.mark.parametrize(
    ("name", "right"),
    [("waiver", "waivers"), ("waviers", "waivers"), ("locks", "lock"), ("Lock", "lock"), ("fleets", "fleet")],
)
def test_so_is_one_of_the_fleet_s_own_under_a_near_name(tmp_path: Path, name: str, right: str) -> None:
    (write(tmp_path) / f"{name}.toml").write_text("format = 1\n")
    with pytest.raises(SpecError, match=f"^{name}.toml: would not be read: the file's name is {right}.toml; rename"):
        read_fleet(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["clock.toml", "look.toml", "pyproject.toml", "config.yaml", "projects/web/x.toml", "containers/.old/x.toml"],
)
def test_what_is_no_part_of_the_fleet_is_left_alone(tmp_path: Path, name: str) -> None:
    there = write(tmp_path) / name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("hello\n")
    assert problems(tmp_path) == []


@pytest.mark.parametrize(("name", "right"), [("container", "containers"), ("Nodes", "nodes")])
def test_so_is_a_folder(tmp_path: Path, name: str, right: str) -> None:
    stray = write(tmp_path) / name
    stray.mkdir()
    assert problems(tmp_path) == []
    (stray / "db2.toml").write_text("format = 1\n")
    with pytest.raises(SpecError, match=f"^{name}: would not be read: the folder's name is {right}; move its files"):
        read_fleet(tmp_path)


def test_a_file_that_is_nested_without_end_is_said(tmp_path: Path) -> None:
    (write(tmp_path) / "containers" / "db2.toml").write_text(f"format = {'[' * 9000}{']' * 9000}\n")
    with pytest.raises(SpecError, match=r"^containers/db2.toml: is nested too deeply to be read"):
        read_fleet(tmp_path)


@pytest.mark.parametrize(("right", "wrong"), [("fleet.toml", "fleet.TOML"), ("lock.toml", "lock.tml")])
def test_so_are_the_fleet_s_own_two(tmp_path: Path, right: str, wrong: str) -> None:
    (write(tmp_path) / right).rename(tmp_path / wrong)
    with pytest.raises(SpecError, match=f"^{wrong}: would not be read: .* rename it to {right}"):
        read_fleet(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "db.toml~", ".db.toml.swp", "README", "notes.txt"])
def test_files_that_are_no_wishes_are_left_alone(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / "containers" / name).write_text("hello\n")
    assert problems(tmp_path) == []


def test_a_byte_order_mark_is_called_by_its_name(tmp_path: Path) -> None:
    (write(tmp_path) / "lock.toml").write_text("format = 1\n", encoding="utf-8-sig")
    with pytest.raises(SpecError, match=r"lock.toml:1: begins with a byte order mark \(BOM\); save it as UTF-8"):
        read_fleet(tmp_path)
