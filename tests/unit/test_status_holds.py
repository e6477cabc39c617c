"""Replicas' ages: asked of ZFS once in a while, and nobody waits for a ZFS that never answers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from serve_world import eventually
from status_world import age

from blackstart.reading import Present, Unknown
from blackstart.status.holds import Held, Holds, Kept, held
from blackstart.vault.config import Keep, Replication, dump

ANSWER: Holds = Present({"node1": Held(3600, (age(),))})


def test_what_is_pulled_decides_what_is_asked(tmp_path: Path) -> None:
    assert held(tmp_path) == Present({})
    plan = Replication("node1", "vault1", "nopool", (), 900, 3600, Keep(1, 1, 1))
    (tmp_path / "node1.json").write_text(dump(plan))
    assert held(tmp_path) == Present({})
    (tmp_path / "node1.json").write_text("{")
    assert isinstance(held(tmp_path), Unknown)


def test_zfs_that_fails_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Replication("node1", "vault1", "nopool", ("tank/data/notes",), 900, 3600, Keep(1, 1, 1))
    (tmp_path / "node1.json").write_text(dump(plan))
    monkeypatch.setattr("blackstart.vault.zfs.subprocess.run", _no_zfs)
    assert held(tmp_path) == Unknown("zfs: No such file or directory")


def _no_zfs(*words: object, **options: object) -> None:
    raise FileNotFoundError(2, "No such file or directory")


def test_many_ask_and_zfs_is_asked_once() -> None:
    asked = []
    kept = Kept(lambda: asked.append(1) or ANSWER)
    assert [kept() for _ in range(5)] == [ANSWER] * 5 and len(asked) == 1


def test_it_is_asked_again_after_a_while_and_nobody_waits_for_that() -> None:
    go, asked = threading.Event(), []

    def ask() -> Holds:
        asked.append(1)
        if len(asked) > 1:
            go.wait(10)
        return ANSWER

    kept = Kept(ask, every=0, patience=5)
    assert kept() == ANSWER
    assert kept() == ANSWER and eventually(lambda: len(asked) == 2)
    go.set()


def test_a_zfs_that_hangs_holds_nobody() -> None:
    never = threading.Event()
    kept = Kept(lambda: never.wait(10) and ANSWER, every=0.05, patience=0.05)
    said = kept()
    assert isinstance(said, Unknown) and "ZFS" in said.why
    threading.Event().wait(0.1)
    again = kept()
    assert isinstance(again, Unknown) and "has not answered for" in again.why
    never.set()


def test_a_question_that_breaks_is_unknown_and_asked_again() -> None:
    asked = []

    def ask() -> Holds:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError("broken")
        return ANSWER

    kept = Kept(ask, every=0)
    assert kept() == Unknown("RuntimeError: broken")
    assert eventually(lambda: kept() == ANSWER)
