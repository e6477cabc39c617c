"""A log read from its end is the log read from its beginning, turned round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackstart.blackbox import lines
from blackstart.blackbox.lines import newest_first, newest_first_or_none


@settings(max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=30), st.sampled_from(["", '{"torn": 1', '{"torn": 1}']))
def test_it_is_the_same_backwards(tmp_path_factory: pytest.TempPathFactory, texts: list[str], torn: str) -> None:
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    rows = [{"n": n, "text": text} for n, text in enumerate(texts)]
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode() + torn.encode())
    for size in (7, 64, 65536):
        lines.BLOCK, kept = size, lines.BLOCK
        try:
            assert list(newest_first(path)) == rows[::-1]
        finally:
            lines.BLOCK = kept


def test_what_is_no_object_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b'{"a": 1}\n[1]\n\nnull\n\xff\xfe\n{"a": 2}\n' + b"[" * 100_000 + b"\n")
    assert list(newest_first(tmp_path / "x")) == [{"a": 2}, {"a": 1}]
    assert list(newest_first(tmp_path / "none")) == []


def test_a_line_without_an_end_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    monkeypatch.setattr(lines, "BLOCK", 100)
    (tmp_path / "x").write_bytes(b'{"a": 1}\n{"b": "' + b"x" * 5000 + b'"}\n{"a": 3}\n')
    assert list(newest_first(tmp_path / "x")) == [{"a": 3}, {"a": 1}]


def test_a_link_in_place_of_the_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"a": 1}\n')
    (tmp_path / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError):
        list(newest_first(tmp_path / "x"))


def test_lines_that_are_none_of_ours_can_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    monkeypatch.setattr(lines, "BLOCK", 100)
    long = b'{"b": "' + b"x" * 5000 + b'"}\n'
    (tmp_path / "x").write_bytes(b'{"a": 1}\n' + long + b'[1]\n\n{"a": NaN}\n{"a": 3}\n{"torn')
    assert list(newest_first_or_none(tmp_path / "x")) == [{"a": 3}, None, None, None, {"a": 1}]
