"""What is applied without a commit does not travel to the vaults: it is named."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from blackstart.converge.context import commit_of, uncommitted, uncommitted_line
from deploys import fleet as deploy


def git(folder: Path, *words: str) -> None:
    person = ("-c", "user.name=ops", "-c", "user.email=ops@example.org")
    subprocess.run(["git", "-C", str(folder), *person, *words], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fleet below the top of its repository, everything of it committed."""
    fleet = tmp_path / "inventory"
    (fleet / "nodes").mkdir(parents=True)
    (fleet / "nodes/node1.toml").write_text("format = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "The fleet")
    return fleet


def test_nothing_is_said_of_a_fleet_as_committed_or_outside_git(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("not the fleet's\n")
    assert uncommitted_line(folder) == ""
    assert uncommitted(Path("/")) == [] and uncommitted_line(Path("/")) == ""


def test_changed_new_and_lost_files_are_named_by_their_path_in_the_fleet(folder: Path) -> None:
    (folder / "nodes/node1.toml").unlink()
    (folder / "ü new.toml").write_text("")
    commit = commit_of(folder)[:12]
    assert uncommitted_line(folder) == (
        f"the vaults get commit {commit}; these files differ from it: nodes/node1.toml, ü new.toml"
    )
    for number in range(5):
        (folder / f"z{number}.toml").write_text("")
    assert uncommitted_line(folder).endswith("z2.toml, z3.toml and 2 more")


def test_it_is_said_once_for_all_hosts_of_a_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(folder))
    (folder / "nodes/node1.toml").write_text("format = 1 # other\n")
    deploy.warn_of_uncommitted.cache_clear()
    with caplog.at_level(logging.WARNING, logger="pyinfra"):
        deploy.warn_of_uncommitted()
        deploy.warn_of_uncommitted()
    deploy.warn_of_uncommitted.cache_clear()
    (said,) = [record.getMessage() for record in caplog.records if "the vaults get commit" in record.getMessage()]
    assert said.endswith("nodes/node1.toml")
