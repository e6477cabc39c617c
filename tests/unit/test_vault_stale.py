"""Receives that can never go on, and who asked for a replication: what lies in a node's folder on the vault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from blackstart.vault import asked, layout, replicate, stale
from blackstart.vault.config import Keep, Replication
from blackstart.vault.exchange import Source
from blackstart.vault.zfs import CommandError, Snapshot, gone

ROOT = "bank/vault/replicas/node1"


def test_only_the_very_receive_that_was_named_is_given_up() -> None:
    named = {f"{ROOT}/a": "1-a", f"{ROOT}/b": "1-b", f"{ROOT}/c": "1-c", "bank/other": "1-o", ROOT: "1-r"}
    now = {f"{ROOT}/a": "1-a", f"{ROOT}/b": "1-new", f"{ROOT}/c": "", "bank/other": "1-o", ROOT: "1-r"}
    assert stale.still_stale(named, now, ROOT) == [f"{ROOT}/a"]


def test_the_list_is_read_as_written_and_gone_when_nothing_is_stale(tmp_path: Path) -> None:
    assert stale.read(tmp_path) == {}
    stale.write(tmp_path, {"a": "1-a"})
    assert stale.read(tmp_path) == {"a": "1-a"}
    stale.write(tmp_path, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "tokens": {}}', '{"format": 1, "tokens": []}'])
def test_a_list_that_cannot_be_understood_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "stale.json").write_text(text)
    with pytest.raises(ValueError):
        stale.read(tmp_path)


def test_what_zfs_says_of_a_token_whose_snapshot_is_gone() -> None:
    assert gone("cannot resume send: 'tank/a@b' is no longer the same snapshot used in the initial send")
    assert gone("cannot resume send: 'tank/a@b' used in the initial send no longer exists")
    assert not gone("ssh: connect to host node1 port 22: Connection timed out")
    assert not gone("cannot send: out of memory")


class Pull(replicate.Pull):
    """A node that answers every question about a token with `answer`, "" for a stream that can go on."""

    answer = ""

    def _ssh(self, *words: str, stdin: str | None = None) -> str:
        if self.answer:
            raise CommandError(self.answer)
        return ""


@pytest.fixture
def pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pull:
    monkeypatch.setattr(replicate, "receiving", lambda root: {f"{ROOT}/tank/a": "1-a", f"{ROOT}/tank/b": ""})
    made = Pull(Replication("node1", "vault1", "bank", ("tank/a", "tank/b"), 900, 3600, Keep(1, 1, 1)), "")
    made.store.folder = tmp_path
    return made


SNAPSHOT = Snapshot("tank/b", "blackstart_2026-11-22T01:00:00Z", "5", 1)
SOURCE = Source({"tank/a": False, "tank/b": False}, (), (SNAPSHOT,), "")


def test_a_receive_that_cannot_go_on_is_named_and_the_others_go_on(pull: Pull) -> None:
    pull.answer = "cannot resume send: 'tank/a@x' used in the initial send no longer exists"
    assert pull._pairs(SOURCE, {"tank/b": [SNAPSHOT]}) == {"tank/b": f"{ROOT}/tank/b"}
    assert stale.read(pull.store.folder) == {f"{ROOT}/tank/a": "1-a"}
    assert "begins anew" in pull.outcome.failed["tank/a"]


@pytest.mark.parametrize("answer", ["", "Connection closed by remote host"])
def test_a_receive_that_may_go_on_is_left_to_bzfs(pull: Pull, answer: str) -> None:
    pull.answer = answer
    assert set(pull._pairs(SOURCE, {"tank/b": [SNAPSHOT]})) == {"tank/a", "tank/b"}
    assert stale.read(pull.store.folder) == {}


def test_who_asked_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    folder = tmp_path / "node1"
    folder.mkdir()
    assert asked.take(folder) == "interval"
    script = asked.ask("node1", "on demand by o'brien@desk; $(x)")
    subprocess.run(["sh", "-c", script.replace("mountpoint -q", "false")], check=False)
    assert not list(folder.iterdir())  # below an empty mount point nothing is left
    subprocess.run(["sh", "-c", script.replace("mountpoint -q", "test -d")], check=True)
    assert asked.take(folder) == "on demand by o'brien@desk; $(x)"
    assert asked.take(folder) == "interval"
    assert not list(folder.iterdir())
