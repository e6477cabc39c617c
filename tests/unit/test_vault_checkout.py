"""A vault's own copy of the fleet: brought forward after any kill, never over what a person changed in it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from blackstart.vault.checkout import alone, is_used, main

ONE = {"fleet.toml": "one\n", "nodes/a b.toml": "1111\n", "nodes/gone.toml": "x\n"}
TWO = {"fleet.toml": "two\n", "nodes/a b.toml": "2222\n", "nodes/new*.toml": "3333\n", "nodes/z.toml": "4444\n"}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Vault:
    def __init__(self, root: Path) -> None:
        self.work, self.specs, self.copy = root / "work", root / "specs", root / "fleet"
        for folder in (self.work, self.specs):
            folder.mkdir()
        git(self.work, "init", "-q")
        git(self.specs, "init", "-q", "--bare", "fleet.git")

    def bring(self, files: dict[str, str]) -> None:
        """A commit with these files alone."""
        for path in self.work.glob("**/*.toml"):
            path.unlink()
        for name, text in files.items():
            (self.work / name).parent.mkdir(exist_ok=True)
            (self.work / name).write_text(text)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", "x")
        commit = git(self.work, "rev-parse", "HEAD")
        git(self.work, "push", "-q", str(self.specs / "fleet.git"), f"HEAD:refs/blackstart/{commit}")
        (self.specs / "commit").write_text(f"{commit}\n")

    def run(self) -> int:
        return main("blackstart", str(self.copy), str(self.specs))

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.copy)): path.read_text() for path in self.copy.glob("**/*.toml")}

    def half(self, written: int) -> None:
        """As git leaves it when it is killed while it writes: so many files whole, the next one torn."""
        (self.copy / ".git/index.lock").touch()
        (self.copy / ".git/refs/heads/vault.lock").touch()
        for number, (name, text) in enumerate(TWO.items()):
            if number <= written:
                (self.copy / name).parent.mkdir(exist_ok=True)
                (self.copy / name).write_text(text if number < written else text[:2])
        (self.copy / "nodes/gone.toml").unlink(missing_ok=True)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("written", range(len(TWO) + 1))
def test_a_git_that_was_killed_is_got_over(
    vault: Vault, capsys: pytest.CaptureFixture[str], begun: bool, written: int
) -> None:
    if begun:
        vault.bring(ONE)
        assert vault.run() == 0
    else:
        vault.copy.mkdir()
        git(vault.copy, "init", "-q", "-b", "vault")
    vault.half(written)
    (vault.copy / "key").write_text("a secret of mine")
    vault.bring(TWO)
    assert vault.run() == 0
    assert vault.files() == TWO and git(vault.copy, "status", "--short") == "?? key"
    assert capsys.readouterr() == (f"{vault.copy}\n" * (1 + begun), "")


def test_killed_while_the_repository_was_made(vault: Vault) -> None:
    (vault.copy / ".git/refs").mkdir(parents=True)
    (vault.copy / ".git/HEAD.lock").touch()
    vault.bring(ONE)
    assert vault.run() == 0 and vault.files() == ONE


def test_what_a_person_changed_stays_whatever_else_was_begun(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.bring(ONE)
    vault.run()
    vault.half(1)
    (vault.copy / "fleet.toml").write_text("mine\n")
    vault.bring(TWO)
    assert vault.run() == 0 and vault.files()["fleet.toml"] == "mine\n"
    out, err = capsys.readouterr()
    assert "has changes of its own and stays as it is" in err and out.endswith(f"{vault.copy}\n")


def test_the_locks_of_a_git_that_lives_are_left(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.bring(ONE)
    vault.run()
    lock = vault.copy / ".git/index.lock"
    lock.touch()
    vault.bring(TWO)
    shutil.copy("/bin/sleep", tmp_path / "git")
    with subprocess.Popen([tmp_path / "git", "60"], cwd=vault.copy / "nodes") as theirs:
        try:
            while not is_used(vault.copy):
                time.sleep(0.01)
            assert vault.run() == 0 and lock.exists() and vault.files() == ONE
        finally:
            theirs.kill()
    assert "is worked on by another git" in capsys.readouterr().err
    assert vault.run() == 0 and vault.files() == TWO


def test_a_git_that_outlives_its_run_keeps_the_next_one_out(vault: Vault) -> None:
    vault.copy.mkdir()
    with alone(vault.copy) as copy:
        assert str(vault.copy) in copy.git("-c", "alias.held=!ls -l /proc/self/fd", "held").decode()


def test_without_a_fleet_file_no_other_folder_is_taken_for_it(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.bring({"other.toml": "x"})
    assert vault.run() == 1
    out, err = capsys.readouterr()
    assert out == "" and f"no fleet.toml is checked out in {vault.copy}; next: git -C" in err


def test_a_repository_that_lacks_the_commit_is_said_in_one_line(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.bring(ONE)
    (vault.specs / "commit").write_text("abc\n")
    assert vault.run() == 1
    err = capsys.readouterr().err
    assert "refs/blackstart/abc" in err and f"next: git -C {vault.specs}/fleet.git fsck" in err and err.count("\n") == 1
