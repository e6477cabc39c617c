"""The log of heartbeats: what counts of it after a kill, a full disk, a rewrite."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from blackstart.serve.wal import Log, documents, line

FOUND = [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_what_was_appended_is_read_by_the_next_one(tmp_path: Path) -> None:
    log = Log(tmp_path / "wal")
    assert log.read() == []
    log.append(FOUND[:2])
    log.append(FOUND[2:])
    assert Log(tmp_path / "wal").read() == FOUND


def test_a_line_cut_anywhere_takes_no_other_with_it(tmp_path: Path) -> None:
    whole = line(FOUND[0])
    for length in range(len(whole) - 1):
        (tmp_path / "wal").write_bytes(whole + whole[:length])
        log = Log(tmp_path / "wal")
        log.append(FOUND[1:])
        log.close()
        assert Log(tmp_path / "wal").read() == FOUND, length


def test_a_changed_byte_makes_no_other_document() -> None:
    whole = line(FOUND[0])
    for at in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            assert list(documents(bytes(damaged))) in ([], [FOUND[0]])


def test_what_a_full_disk_refused_is_not_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = Log(tmp_path / "wal"), os.write
    log.append(FOUND[:1])

    def full(file: int, data: bytes) -> int:
        if len(data) < 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, bytes(data)[:8])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        log.append(FOUND[1:2])
    monkeypatch.setattr(os, "write", write)
    assert (tmp_path / "wal").read_bytes() == b"\n" + line(FOUND[0])
    log.append(FOUND[2:])
    assert Log(tmp_path / "wal").read() == [FOUND[0], FOUND[2]]


def test_a_line_that_did_not_reach_the_disk_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path / "wal")
    log.append(FOUND[:1])
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(OSError):
            log.append(FOUND[1:2])
    assert Log(tmp_path / "wal").read() == FOUND[:1]


def test_rewriting_keeps_what_it_is_given(tmp_path: Path) -> None:
    log = Log(tmp_path / "wal")
    log.append(FOUND)
    log.rewrite(FOUND[1:2])
    log.append(FOUND[2:])
    assert Log(tmp_path / "wal").read() == FOUND[1:]
    assert [each.name for each in tmp_path.iterdir()] == ["wal"]
