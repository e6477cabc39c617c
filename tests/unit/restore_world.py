"""The engine's node as a table, its vault's zfs as a set, and a run over them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from rebuild_world import rebuild, record
from test_restore_steps import world

from blackstart.vault import restore_engine as engine
from blackstart.vault.record import dump_record
from blackstart.vault.restore_gate import Gate
from blackstart.vault.restore_plan import HOST_READY, Item, Plan
from blackstart.vault.restore_sender import Failed, Sender
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store


class Node:
    """The gate and what is behind it. `trouble`: word -> exceptions to raise, one per time it is asked."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.guids: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.marks: dict[str, str] = {}
        self.asked: list[str] = []
        self.trouble: dict[str, list[Exception]] = {}
        self.slow: dict[str, Callable[[], None]] = {}
        self.started = threading.Lock()

    def _trouble(self, word: str) -> None:
        if self.trouble.get(word):
            raise self.trouble[word].pop(0)

    def ask(self, *words: str, timeout: float = 0) -> str:
        self.asked.append(" ".join(words))
        self._trouble(" ".join(words))
        if " ".join(words) in self.slow:
            self.slow[" ".join(words)]()
            self.asked.append(f"{' '.join(words)} ended")
        if words[0] == "state":
            return self._state()
        if words[0] == "step":
            for item in self.plan.items:
                if item.step == words[1] and self.marks.get(item.dataset) != item.mark:
                    self.guids[item.dataset] = self.guids.pop(item.landing)
                    self.marks[item.dataset] = item.mark
                if item.abort == words[1]:
                    self.tokens.pop(item.landing)
        return ""

    def _state(self) -> str:
        lines = []
        for item in self.plan.items:
            for name in (item.landing, item.dataset):
                if name in self.guids or name in self.tokens:
                    mark = self.marks.get(name, "-")
                    lines.append(f"O {name}\t1\t{self.tokens.get(name, '-')}\t{mark}")
                    if name in self.guids:
                        lines.append(f"O {name}@s\t{self.guids[name]}\t-\t{mark}")
                else:
                    lines.append(f"E cannot open '{name}': dataset does not exist")
        return "\n".join([*lines, "="]) + "\n"

    def warm(self) -> None:
        pass

    def receive(self, send: list[str], landing: str, progress: Callable[[int], None]) -> None:
        item = next(each for each in self.plan.items if each.landing == landing)
        word = "resume" if "-t" in send else "send"
        self.asked.append(f"{word} {item.dataset}")
        if self.trouble.get(f"{word} {item.dataset}"):
            self.tokens[landing] = "1-token"
            progress(5)
            self._trouble(f"{word} {item.dataset}")
        self.slow.get(f"{word} {item.dataset}", lambda: None)()
        self.tokens.pop(landing, None)
        self.guids[landing] = item.guid
        progress(item.bytes)


class Here:
    """The vault's own zfs."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.gone: set[str] = set()
        self.token: int | None = 5

    def hold_all(self, items: Any) -> None:
        pass

    def hold(self, item: Item) -> None:
        if item.dataset in self.gone:
            raise Failed("no such snapshot")
        self.held.add(item.dataset)

    def release(self, items: Any) -> list[str]:
        self.held.clear()
        return []

    def token_size(self, token: str) -> int | None:
        return self.token


class Run:
    def __init__(self, tmp_path: Path) -> None:
        plan, _ = world()
        wanted = {"pools": {"tank": {"guid": "5", "size": 5, "members": []}}, "host_key": "", "applied": None}
        self.plan = replace(plan, commit=wanted, awaits_host=True)
        self.node, self.here = Node(self.plan), Here()
        self.slept: list[float] = [0.0]
        self.store = Store("node1", str(tmp_path))
        self.store.folder.mkdir()
        self.host_ready = self.store.folder / HOST_READY
        self.host_ready.touch()
        (self.store.folder / "record.json").write_text(dump_record(record(rebuild=rebuild())))

    def __call__(self) -> int:
        status = Status(self.plan, self.store.folder)
        gate, sender = cast(Gate, self.node), cast(Sender, self.here)
        return engine.Restore(self.plan, gate, sender, status, self.store, self.slept.append).run()

    def status(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self.store.folder / "restore.json").read_text())
        return said

    @property
    def did(self) -> list[str]:
        return [asked for asked in self.node.asked if asked not in ("state", "ping")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)
