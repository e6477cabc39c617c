"""A run that lost its lock writes nothing any more: the vault asks, and nobody is given the lock in between."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_vault_lock import Pipe

from blackstart.vault import layout, lock, restore_lock

MINE, OTHER = (lock.holder(who, "", "site.py", 1763775780, who) for who in ("me", "other"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    (tmp_path / "node1").mkdir()
    yield tmp_path / "node1"


def take(line: str) -> lock.Held:
    text = lock.script("node1", line).replace("mountpoint -q", "test -d").replace("-g blackstart ", "")
    return lock.Held(Pipe(), "node1", "vault1", text)


def write(folder: Path, word: str = "written", line: str = MINE) -> subprocess.CompletedProcess[str]:
    script = lock.proven("node1", line, f"echo {word} >{folder}/record.json; cat")
    return subprocess.run(["sh", "-c", script], input="stdin\n", capture_output=True, text=True, check=False)


def test_the_one_that_holds_it_writes_as_often_as_it_likes(folder: Path) -> None:
    held = take(MINE)
    assert [write(folder).stdout for _ in range(2)] == ["stdin\n"] * 2
    assert (folder / "record.json").read_text() == "written\n"
    held.release()


def test_let_go_taken_over_or_left_by_a_holder_that_died_nothing_is_written(folder: Path) -> None:
    assert write(folder).returncode == lock.BUSY and not (folder / "lock").exists()  # never taken
    held = take(MINE)
    held.release()
    assert "the lock of node1 is not held by this run any more" in write(folder).stderr
    (folder / "lock").write_text(MINE + "\n")  # killed: its line is still there
    assert write(folder).returncode == lock.BUSY
    other = take(OTHER)
    assert write(folder).returncode == lock.BUSY
    other.release()
    with restore_lock.held(folder, "ops", "restore"):
        assert write(folder).returncode == lock.BUSY
    assert not (folder / "record.json").exists()
    take(OTHER).release()  # to have asked left nothing behind


@pytest.mark.parametrize("by_restore", [False, True])
def test_nobody_is_given_the_lock_while_a_write_that_proved_it_goes_on(folder: Path, by_restore: bool) -> None:
    held, ready, done = take(MINE), folder / "ready", folder / "done"
    script = lock.proven("node1", MINE, f"touch {ready}; sleep 0.5; touch {done}")
    writing = threading.Thread(target=lambda: subprocess.run(["sh", "-c", script], check=True))
    writing.start()
    while not ready.exists():
        time.sleep(0.01)
    held.release()
    if by_restore:
        with restore_lock.held(folder, "ops", "restore"):
            assert done.exists()
    else:
        other = take(OTHER)
        assert done.exists()
        other.release()
    writing.join()


def test_somebody_who_has_just_taken_it_and_not_said_so_yet_is_waited_for(folder: Path) -> None:
    """Held, and the file still names the run before: a holder that was killed."""
    (folder / "lock").write_text(MINE + "\n")
    text = lock.script("node1", OTHER).replace("mountpoint -q", "test -d").replace("-g blackstart ", "")
    slow = text.replace("\nprintf", f"\ntouch {folder}/taken; sleep 0.5; printf", 1)
    assert slow != text
    pipe = Pipe()
    pipe.exec_command(slow)
    while not (folder / "taken").exists():
        time.sleep(0.01)
    assert write(folder).returncode == lock.BUSY
    pipe.close()
