"""One of a kind: a lock is had by whoever may read its folder, by one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.vault.alone import Busy, alone

NOBODY = 65534


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a folder that everybody may read; not root, who may write anything."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    was = os.geteuid()
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0o444)
    if was == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(was)


@pytest.mark.usefixtures("plain")
def test_a_lock_that_somebody_else_made_can_be_had_and_only_once() -> None:
    assert not os.access("lock", os.W_OK, effective_ids=True)
    with alone(Path("lock")), pytest.raises(Busy), alone(Path("lock")):
        pass
    with alone(Path("lock")):
        pass


def test_a_lock_is_made_and_one_that_cannot_be_had_is_no_lock(tmp_path: Path) -> None:
    with alone(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()
    with pytest.raises(FileNotFoundError), alone(tmp_path / "away" / "lock"):
        pass
