"""Whose token it is; the list is read again when it was replaced."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from blackstart.serve.tokens import PROMPT, Tokens, digest
from blackstart.vault import files
from blackstart.vault.tokens import Token, dump

OURS = Token("node1", "heartbeat", "node1", "", digest(b"s3cret"), 1)


def write(path: Path, *tokens: Token) -> None:
    files.replace(path, dump(tokens))


def test_a_token_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    write(tmp_path / "t", OURS)
    tokens = Tokens(tmp_path / "t")
    assert tokens.find(b"s3cret") == OURS
    assert tokens.find(b"S3cret") is None and tokens.find(b"") is None and tokens.find(OURS.sha256.encode()) is None


def test_one_that_was_revoked_counts_no_more_and_a_new_one_does(tmp_path: Path) -> None:
    write(tmp_path / "t", OURS)
    tokens = Tokens(tmp_path / "t")
    assert tokens.find(b"s3cret")
    time.sleep(PROMPT)
    write(tmp_path / "t", Token("node1", "heartbeat", "node1", "", digest(b"other"), 2))
    assert tokens.find(b"s3cret") is None and (other := tokens.find(b"other"))
    assert tokens.stands(other) and not tokens.stands(OURS)
    (tmp_path / "t").unlink()
    time.sleep(PROMPT)
    assert not tokens.stands(other)


def test_a_list_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "t")
    with pytest.raises(OSError):
        tokens.find(b"s3cret")
    (tmp_path / "t").write_text("{")
    with pytest.raises(ValueError):
        tokens.find(b"s3cret")
    with pytest.raises(ValueError):  # the second time, too
        tokens.find(b"s3cret")
