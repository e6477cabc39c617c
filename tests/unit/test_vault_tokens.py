"""Tokens on a vault: digests alone, one to an id, replaced whole, and gone with their node."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from blackstart.vault import layout, tokens

NODE = {"id": "node1", "scope": "heartbeat", "node": "node1", "service": "", "sha256": "a" * 64}
SERVICE = {"id": "node1/db", "scope": "service", "node": "node1", "service": "db/app", "sha256": "b" * 64}
PERSON = {"id": "eve@laptop", "scope": "operator", "sha256": "c" * 64}


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`ask(...)` is what a deploy sends; `ids()` what the service then reads."""
    path = tmp_path / "tokens.json"
    monkeypatch.setattr(layout, "TOKENS", str(path))
    monkeypatch.setattr(tokens.grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=os.getgid()))

    def ask(**asked: Any) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(asked)))
        return tokens.main()

    def ids() -> dict[str, str]:
        return {each.id: each.sha256 for each in tokens.load(path.read_text())}

    return SimpleNamespace(ask=ask, ids=ids, path=path)


def test_one_is_added_replaced_and_revoked(vault: Any) -> None:
    assert vault.ask(add=[NODE, SERVICE]) == vault.ask(add=[PERSON]) == 0
    assert vault.ids() == {"node1": "a" * 64, "node1/db": "b" * 64, "eve@laptop": "c" * 64}
    assert vault.path.stat().st_mode & 0o777 == 0o640
    assert vault.ask(add=[NODE | {"sha256": "d" * 64}]) == 0 and vault.ids()["node1"] == "d" * 64
    assert vault.ask(revoke=["node1/db", "nobody"]) == 0 and set(vault.ids()) == {"node1", "eve@laptop"}
    assert vault.ask(keep=["node2"]) == 0 and set(vault.ids()) == {"eve@laptop"}  # a person is no node's


def test_a_secret_has_one_name(vault: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert vault.ask(add=[PERSON]) == 0
    assert vault.ask(add=[PERSON | {"id": "ci", "scope": "signal"}]) == 1
    assert "ci would have the secret of token eve@laptop; it takes one of its own" in capsys.readouterr().err
    assert set(vault.ids()) == {"eve@laptop"}


def test_the_same_one_again_changes_nothing(vault: Any) -> None:
    vault.ask(add=[NODE])
    before = vault.path.stat().st_ino
    assert vault.ask(add=[NODE]) == 0 and vault.path.stat().st_ino == before


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"id": "../x"}, "is nothing that a token has"),
        ({"node": "../x"}, "is nothing that a token has"),
        ({"sha256": "the token itself"}, "is nothing that a token has"),
        ({"sha256": 5}, "a token's values are text"),
        ({"scope": "root"}, "is no scope; there are heartbeat, service, signal, operator"),
        ({"node": ""}, "a token of scope heartbeat is a node's"),
    ],
)
def test_what_is_none_is_refused_and_nothing_changes(
    vault: Any, asked: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.ask(add=[PERSON])
    assert vault.ask(add=[NODE | asked]) == 1
    assert said in capsys.readouterr().err and set(vault.ids()) == {"eve@laptop"}


def test_a_file_that_cannot_be_read_is_not_replaced(vault: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("{", '{"format": 2}', '{"format": 1, "tokens": [{}]}'):
        vault.path.write_text(text)
        assert vault.ask(add=[NODE]) == 1 and vault.path.read_text() == text
        assert "was not written" in capsys.readouterr().err


def test_what_was_written_is_read(vault: Any) -> None:
    vault.ask(add=[NODE, SERVICE, PERSON])
    found = tokens.load(vault.path.read_text())
    assert tokens.load(tokens.dump(found)) == found and {each.scope for each in found} <= set(tokens.SCOPES)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "5",
        '{"format": 2, "tokens": []}',
        '{"format": 1}',
        '{"format": 1, "tokens": ["node1"]}',
        '{"format": 1, "tokens": [{"id": "a"}]}',
        json.dumps({"format": 1, "tokens": [NODE]}),  # since when?
        *(
            json.dumps({"format": 1, "tokens": [NODE | {"since": 1} | wrong]})
            for wrong in ({"scope": "everything"}, {"scope": []}, {"sha256": ""}, {"sha256": 5}, {"node": "../x"})
        ),
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        tokens.load(text)
