"""A record is changed field by field, by several writers, and is always whole."""

from __future__ import annotations

import io
import json
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from blackstart.vault import config, layout, prune, replicate, restore, restore_open
from blackstart.vault.record import DatasetRecord, Record
from blackstart.vault.restore_plan import Plan, Target, dump
from blackstart.vault.store import Store, main, patched

ENROL = {
    "epoch": 1,
    "host_key": "ssh-ed25519 AAAA",
    "pools": {"tank": {"guid": "7", "size": 10, "members": ["virtio-A"]}},
    "datasets": {"tank/data/a": True, "tank/data/b": False},
    "applied": {"digest": "sha256:1", "commit": "c", "by": "me", "at": 1, "spec": {}},
}


def store(tmp_path: Path) -> Store:
    (tmp_path / "node1").mkdir()
    return Store("node1", str(tmp_path))


def test_enrolling_makes_a_whole_record_and_a_later_run_changes_only_its_own_words(tmp_path: Path) -> None:
    node = store(tmp_path)
    assert node.read() is None
    node.update(lambda old: patched("node1", old, ENROL))
    arrived = DatasetRecord(True, "blackstart_x", "99", 5)

    def bring(old: Record | None) -> Record:
        assert old
        return replace(old, datasets=old.datasets | {"tank/data/a": arrived})

    node.update(bring)
    applied = {"digest": "sha256:2", "commit": "d", "by": "you", "at": 2, "spec": {"name": "node1"}}
    node.update(
        lambda old: patched("node1", old, {"applied": applied, "datasets": {"tank/data/a": True, "tank/c": False}})
    )
    record = node.read()
    assert record and record.applied
    assert record.datasets == {"tank/data/a": arrived, "tank/data/b": DatasetRecord(), "tank/c": DatasetRecord()}
    assert (record.epoch, record.applied.digest, record.pools["tank"].members) == (1, "sha256:2", ("virtio-A",))


@pytest.mark.parametrize(
    ("old", "patch", "said"),
    [
        (None, {"applied": None}, "not a patch"),
        (None, ENROL | {"epok": 1}, "older than yours and knows no epok; next: blackstart apply VAULT"),
        (None, ENROL | {"pools": {"tank": {"guid": "7"}}}, "not a patch"),
        (Record("node1", 3, "k", {}, {}, None), {"epoch": 2}, "older than the record's 3"),
    ],
)
def test_what_is_not_a_record_is_refused(old: Record | None, patch: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        patched("node1", old, patch)


def test_writers_wait_for_one_another(tmp_path: Path) -> None:
    node = store(tmp_path)
    node.update(lambda old: patched("node1", old, ENROL))

    def add(number: int) -> None:
        node.update(lambda old: patched("node1", old, {"datasets": {f"tank/{number}": False}}))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = node.read()
    assert record and len(record.datasets) == 22
    assert {path.name for path in node.folder.iterdir()} == {"record.json", "record.lock"}


def test_a_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    node = store(tmp_path)
    node.journal({"event": "one"})
    with (node.folder / "journal.jsonl").open("a") as file:
        file.write('{"event": "to')
    node.journal({"event": "three"})
    lines = (node.folder / "journal.jsonl").read_text().splitlines()
    assert [json.loads(lines[0])["event"], lines[1], json.loads(lines[2])["event"]] == ["one", '{"event": "to', "three"]


def test_below_an_empty_mount_point_no_program_looks_or_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record that is not there would look like a new node, and what is written there is hidden once it is mounted."""
    wishes = config.Replication("node1", "vault1", "bank", ("tank/a",), 900, 3600, config.Keep(1, 1, 1))
    (tmp_path / "node1.json").write_text(config.dump(wishes))
    target = Target("127.0.0.1", 22, "ssh-ed25519 AAAA")
    (tmp_path / "plan.json").write_text(dump(Plan("node1", 2, 1, "ops", target, (), ())))
    monkeypatch.setattr(config, "path", lambda node: tmp_path / "node1.json")
    monkeypatch.setattr(layout, "REPLICATION", str(tmp_path))
    for program in (
        lambda: main(["node1"]),
        lambda: restore_open.main(["node1"]),
        lambda: restore.main([str(tmp_path / "plan.json")]),
        lambda: replicate.main(["node1"]),
        lambda: prune.main(),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"patch": ENROL})))
        assert program() == 1
        assert "/srv/blackstart/live is not mounted" in capsys.readouterr().err


def test_a_node_that_is_not_reached_or_not_held_comes_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(self: replicate.Pull) -> NoReturn:
        raise replicate.Unreachable("no route to host")

    wishes = config.Replication("node1", "vault1", "bank", ("tank/a",), 900, 3600, config.Keep(1, 1, 1))
    (tmp_path / "node1.json").write_text(config.dump(wishes))
    monkeypatch.setattr(config, "path", lambda node: tmp_path / f"{node}.json")
    monkeypatch.setattr(replicate, "writable", lambda folder: None)
    monkeypatch.setattr(replicate, "alone", lambda path: nullcontext())
    monkeypatch.setattr(replicate.Pull, "run", refused)
    assert replicate.main(["node1", "--reason", "test"]) == 3
    said = "node1: could not be asked for snapshots: no route to host\n  next: blackstart why node1\n"
    assert capsys.readouterr().err == said
    assert replicate.main(["node2"]) == 1
    assert capsys.readouterr().err == "node2: this vault does not hold it; next: pyinfra inventory deploys/vault.py\n"
