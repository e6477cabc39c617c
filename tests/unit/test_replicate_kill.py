"""kill -9 of a replication at one step after the other: what came is held, recorded, and in the journal, by guid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kill_world import sweep
from rebuild_world import record

from blackstart.failpoint import reach
from blackstart.vault import layout, replicate
from blackstart.vault.config import Keep, Replication
from blackstart.vault.exchange import Source
from blackstart.vault.record import dump_record
from blackstart.vault.store import Store
from blackstart.vault.zfs import Snapshot

NAMES = ("tank/data/one", "tank/data/two")
WISHES = Replication("node1", "vault1", "bank", NAMES, 900, 3600, Keep(1, 1, 1))


class World:
    """Node and vault as a file that outlives who works on them: dataset -> [name, guid, holds] on either side."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = folder / "world.json"
        self.store = Store("node1", str(folder))
        if not self.path.exists():
            self.store.folder.mkdir(parents=True)
            (self.store.folder / "record.json").write_text(dump_record(replace(record(), datasets={})))
            self.save({"node": {name: [] for name in NAMES}, "vault": {name: [] for name in NAMES}})
        monkeypatch.setattr(replicate, "run", self.zfs)
        monkeypatch.setattr(replicate, "tags", self.tags)
        monkeypatch.setattr(replicate, "receiving", lambda root: {})
        monkeypatch.setattr(replicate.bzfs, "run", self.bzfs)

    def load(self) -> Any:
        return json.loads(self.path.read_text())

    def save(self, known: Any) -> None:
        self.path.write_text(json.dumps(known))

    def zfs(self, *words: str) -> str:
        assert words[:3] == ("zfs", "hold", layout.HOLD)
        known = self.load()
        for name in words[3:]:
            dataset, _, short = name.partition("@")
            (found,) = [each for each in known["vault"][dataset] if each[0] == short]
            assert not found[2], f"{name} is held already"
            found[2] = 1
        self.save(known)
        return ""

    def tags(self, have: Any) -> dict[str, set[str]]:
        return {str(each): {layout.HOLD} for each in have if each.holds}

    def bzfs(self, words: list[str]) -> tuple[int, list[str]]:
        known = self.load()
        for dataset in NAMES:
            had = {guid for _, guid, _ in known["vault"][dataset]}
            # Only the newest travels.
            known["vault"][dataset] += [[*each[:2], 0] for each in known["node"][dataset][-1:] if each[1] not in had]
            self.save(known)
            reach("replicate.bzfs")
        return 0, []

    def side(self, side: str) -> dict[str, list[Snapshot]]:
        return {
            dataset: [Snapshot(dataset, name, guid, 5, holds) for name, guid, holds in found]
            for dataset, found in self.load()[side].items()
            if found
        }

    def pull(self) -> Any:
        made = Pull(WISHES, "interval")
        made.world, made.store = self, self.store
        outcome = made.run()
        assert not outcome.failed
        return outcome


class Pull(replicate.Pull):
    world: World

    def _begin(self) -> tuple[str, Source]:
        known = self.world.load()
        number = len(known["node"][NAMES[0]]) + 1
        name = f"blackstart_2026-11-22T01:43:{number:02}Z"
        for place, dataset in enumerate(NAMES):
            known["node"][dataset].append([name, f"{number}{place}", 0])
        self.world.save(known)
        found = [each for have in self.world.side("node").values() for each in have]
        return name, Source(dict.fromkeys(NAMES, False), (), tuple(found), "")

    def _have(self) -> dict[str, list[Snapshot]]:
        return self.world.side("vault")

    def _finish(self, source: Source, after: dict[str, list[Snapshot]]) -> None:
        pass


@pytest.mark.parametrize("before", [0, 1])
def test_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    """Of the first replication ever, and of a later one."""
    worlds: dict[int, World] = {}

    def world(k: int) -> Callable[[], object]:
        worlds[k] = World(tmp_path / str(k), monkeypatch)
        for _ in range(before):
            worlds[k].pull()
        return worlds[k].pull

    names = set()
    for k, step in enumerate(sweep(world), 1):
        names.add(step.partition(", ")[2])
        worlds[k].pull()
        here, known = worlds[k].side("vault"), worlds[k].store.read()
        told = [json.loads(line) for line in (worlds[k].store.folder / "journal.jsonl").read_text().splitlines()]
        assert known
        for dataset in NAMES:
            assert here[dataset][-1].holds and known.datasets[dataset].guid == here[dataset][-1].guid, step
            assert {each.guid for each in here[dataset]} == {t["guid"] for t in told if t["dataset"] == dataset}, step
    assert names >= {"replicate.begun", "replicate.bzfs", "replicate.received", "replicate.held", "record.json.written"}
