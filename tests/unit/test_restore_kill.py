"""kill -9 of the engine at one step after the other: the next run comes to the end, and nothing is sent twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from kill_world import sweep
from rebuild_world import record
from restore_world import Run

from blackstart.vault.record import Record, dump_record
from blackstart.vault.restore_open import changed
from blackstart.vault.store import Store, patched


class Kept:
    """What the node and the vault's zfs have done outlives the engine: it is in a file once it is done."""

    def __init__(self, run: Run, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.run, self.path = run, path
        self.sent: list[str] = []
        node, ask, receive, hold, release = run.node, run.node.ask, run.node.receive, run.here.hold, run.here.release
        patch.setattr(node, "ask", lambda *words, **more: self._then(ask(*words, **more)))
        patch.setattr(run.here, "hold", lambda item: self._then(hold(item)))
        patch.setattr(run.here, "release", lambda items: self._then(release(items)))

        def received(send: list[str], landing: str, progress: Callable[[int], None]) -> None:
            receive(send, landing, progress)
            self.sent.append(landing)
            self._then("")

        patch.setattr(node, "receive", received)
        if path.exists():
            self.load()

    def _then(self, answer: Any) -> Any:
        node, here = self.run.node, self.run.here
        known = [node.guids, node.tokens, node.marks, sorted(here.held), self.sent]
        self.path.write_text(json.dumps(known))
        return answer

    def load(self) -> None:
        node, here = self.run.node, self.run.here
        node.guids, node.tokens, node.marks, held, self.sent = json.loads(self.path.read_text())
        here.held = set(held)


def events(store: Store) -> list[str]:
    return [json.loads(line)["event"] for line in (store.folder / "journal.jsonl").read_text().splitlines()]


def test_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds: dict[int, Kept] = {}

    def world(k: int) -> Callable[[], object]:
        folder = tmp_path / str(k)
        folder.mkdir()
        worlds[k] = Kept(Run(folder), folder / "kept", monkeypatch)
        return worlds[k].run

    steps = []
    for k, step in enumerate(sweep(world), 1):
        steps.append(step.partition(", ")[2])
        kept = worlds[k]
        if kept.path.exists():
            kept.load()
        run = kept.run
        before = run.store.read()
        if before and before.epoch == 2:  # the node is taken for rebuilt: nobody plans this again
            assert "rebuilt" in events(run.store), step
        again = run()
        assert again == 0, step
        assert len(kept.sent) == len(set(kept.sent)) == len(run.plan.items), step
        assert all(run.node.marks[item.dataset] == item.mark for item in run.plan.items), step
        known = run.store.read()
        assert known and known.epoch == 2 and known.rebuild is None and known.unfinished, step
        assert events(run.store)[-1] == "rebuilt" and not run.here.held and run.status()["state"] == "done", step
    assert {"restore.held", "restore.received", "restore.cutover", "restore.sealed", "record.json.written"} <= {*steps}
    assert len(steps) > 30


def _at_the_record(tmp_path: Path, change: Callable[[Record | None], Record], done: Callable[[Record], Any]) -> None:
    """`change` of the record and its line in the journal, at every step: old or new, never half; then new."""
    old, new = record(), change(record())

    def store(k: int) -> Store:
        made = Store("node1", str(tmp_path / str(k)))
        if not made.folder.exists():
            made.folder.mkdir(parents=True)
            (made.folder / "record.json").write_text(dump_record(old))
        return made

    def work(k: int) -> None:
        store(k).update(change)
        store(k).journal({"event": "x"})

    names = []
    for k, step in enumerate(sweep(lambda k: lambda: work(k)), 1):
        names.append(step.partition(", ")[2])
        assert store(k).read() in (old, new), step
        work(k)
        found = store(k).read()
        assert found and done(found) == done(new), step
        assert [json.loads(line) for line in (store(k).folder / "journal.jsonl").read_text().splitlines()], step
    assert names == ["record.json.written", "record.json.replaced", "journal.jsonl.appended"]


def test_the_beginning_of_a_rebuild(tmp_path: Path) -> None:
    asked = {"do": "open", "epoch": 2, "by": "ann", "disks": {"a": "b"}, "host_key": ""}
    _at_the_record(
        tmp_path, lambda old: changed(old, asked, 7), lambda new: asdict(new.rebuild) if new.rebuild else None
    )


def test_a_patch_of_the_record(tmp_path: Path) -> None:
    patch = {"datasets": {"tank/data/new": False}, "host_key": "ssh-ed25519 NEW"}
    _at_the_record(tmp_path, lambda old: patched("node1", old, patch), asdict)
