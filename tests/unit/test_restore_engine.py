"""The engine against a node that is only a table: what is sent once, what goes on, who starts when."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from rebuild_world import rebuild, record
from test_restore_steps import world

from blackstart.vault import restore as engine
from blackstart.vault.record import dump_record
from blackstart.vault.restore_gate import Gate, LinkError
from blackstart.vault.restore_plan import HOST_READY, Item, Plan, Start
from blackstart.vault.restore_sender import Failed, Sender
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store
from blackstart.vault.zfs import CommandError


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


def test_from_nothing_to_the_record(run: Run) -> None:
    assert run() == 0
    order = [asked for asked in run.did if not asked.startswith("step start-")]
    expected = [words for item in run.plan.items for words in (f"send {item.dataset}", f"step {item.step}")]
    assert order == [*expected, "step seal", "step revoke"]
    assert [item.dataset for item in run.plan.items] == ["tank/data/db", "tank/lxc/db", "tank/data/crm"]
    assert run.node.asked.count("state") == 1
    known = run.store.read()
    assert known and known.epoch == 2 and known.rebuild is None and known.pools["tank"].guid == "5"
    event = json.loads((run.store.folder / "journal.jsonl").read_text().splitlines()[-1])
    assert event["event"] == "rebuilt" and event["epoch"] == 2
    assert not run.here.held


class HostPart(list[float]):
    """A controller that has laid down the host part once the last stream began: slept through by who waits for it."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.seen: dict[str, str] = {}

    def append(self, seconds: float) -> None:
        super().append(seconds)
        # Only an engine whose streams wait as well runs into the deadline.
        deadline = time.monotonic() + 5
        while "send tank/data/crm" not in self.run.node.asked and time.monotonic() < deadline:
            time.sleep(0.001)
        self.seen |= {name: state for name, state in self.run.status()["containers"].items() if state != "waiting"}
        self.run.node.asked.append("host ready")
        self.run.host_ready.touch()


class Slow(list[float]):
    """A sleep in which the host is waited for much longer than the node."""

    def append(self, seconds: float) -> None:
        super().append(seconds)
        if seconds == engine.HOST_PAUSE:
            time.sleep(0.05)


def test_containers_wait_for_the_host_part_and_data_does_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.host_ready.unlink()
    run.slept = host = HostPart(run)
    assert run() == 0
    at = run.did.index("host ready")
    assert run.did.index("send tank/data/crm") < at
    assert all(at < later for later, asked in enumerate(run.did) if asked.startswith(("step start-", "step seal")))
    assert host.seen == {"db": "waiting for the host"}


def test_a_controller_that_stays_away_is_waited_for_half_an_hour_and_the_next_run_goes_on(run: Run) -> None:
    run.host_ready.unlink()
    assert run() == 1
    assert engine.HOST <= sum(run.slept) < engine.HOST + 10
    assert "step start-db" not in run.did and "step seal" not in run.did
    known, status = run.store.read(), run.status()
    assert known and known.rebuild and {item["phase"] for item in status["datasets"]} == {"done"}
    assert any("run the same command again, it goes on" in error for error in status["errors"])
    run.host_ready.touch()
    assert run() == 0 and not [asked for asked in run.did if asked.startswith("resume")]


def test_many_containers_wait_for_the_host_side_by_side_and_not_one_after_another(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, starts=tuple(Start(f"c{number}", f"start-c{number}", (), ()) for number in range(9)))
    assert run() == 1
    assert engine.HOST <= sum(run.slept) < 5 * engine.HOST  # four workers
    assert set(run.status()["containers"].values()) == {"failed"}


def test_a_node_that_is_given_up_leaves_no_container_waiting_for_its_host(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.host_ready.unlink()
    run.node.trouble["send tank/data/crm"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 1000
    run.slept = Slow()
    with pytest.raises(LinkError):
        run()
    assert run.status()["containers"]["db"] == "failed", "nothing is written behind the result"


def test_without_containers_the_record_waits_for_the_host_part_too(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, starts=())
    run.slept = HostPart(run)
    assert run() == 0
    assert run.did[-3:] == ["host ready", "step seal", "step revoke"]


def test_single_datasets_of_a_living_node_wait_for_no_host_part(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, awaits_host=False)
    assert run() == 0 and run.slept == [0.0]


def test_each_container_starts_when_its_own_data_is_there(run: Run) -> None:
    assert run() == 0
    did = run.did
    assert did.index("step start-db") > did.index(f"step {run.plan.items[1].step}")
    assert did.index("step start-crm") > did.index("step start-db")
    assert did.index("step start-crm") > did.index(f"step {run.plan.items[2].step}")
    assert did.index("step seal") > did.index("step start-crm")


class Soon(HostPart):
    """The host part is done while the next stream is held back."""

    def append(self, seconds: float) -> None:
        time.sleep(0.2)  # a stream that is not held back has begun by then
        self.run.node.asked.append("host ready")
        self.run.host_ready.touch()


def test_a_container_comes_up_before_the_next_stream_begins(run: Run) -> None:
    run.node.slow["step start-db"] = lambda: time.sleep(0.2)
    assert run() == 0
    assert run.did.index("step start-db ended") < run.did.index("send tank/data/crm")


def test_host_and_container_come_before_data_of_lower_priority(run: Run) -> None:
    run.host_ready.unlink()
    run.slept = Soon(run)
    assert run() == 0
    assert run.did.index("host ready") < run.did.index("step start-db") < run.did.index("send tank/data/crm")


def test_a_container_that_takes_long_does_not_keep_the_data_waiting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)

    def until_crm_is_sent() -> None:
        deadline = time.monotonic() + 10
        while "send tank/data/crm" not in run.node.asked and time.monotonic() < deadline:
            time.sleep(0.01)

    run.node.slow["step start-db"] = until_crm_is_sent
    assert run() == 0
    assert run.did.index("send tank/data/crm") < run.did.index("step start-db ended")


def test_a_container_without_data_starts_behind_the_one_that_it_waits_for(run: Run) -> None:
    """What it waits for comes up in the head start behind the last stream."""
    run.plan = replace(run.plan, starts=(*run.plan.starts, Start("web", "start-web", (), ("crm",))))
    run.node.slow["step start-crm"] = lambda: time.sleep(0.1)
    assert run() == 0
    assert run.did.index("step start-web") > run.did.index("step start-crm ended")


def test_a_container_starts_as_soon_as_another_answers_also_beside_a_stream(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.plan = replace(run.plan, starts=(run.plan.starts[0], Start("web", "start-web", (), ("db",))))

    def until(what: str) -> None:
        deadline = time.monotonic() + 10
        while what not in run.node.asked and time.monotonic() < deadline:
            time.sleep(0.01)

    run.node.slow["step start-db"] = lambda: until("send tank/data/crm")
    run.node.slow["send tank/data/crm"] = lambda: until("step start-web")
    assert run() == 0
    assert run.did.index("step start-web") < run.did.index(f"step {run.plan.items[2].step}")


def test_a_cut_link_goes_on_from_the_token_and_a_node_that_reboots_is_waited_for(run: Run) -> None:
    run.node.trouble["send tank/lxc/db"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 5
    assert run() == 0
    assert "resume tank/lxc/db" in run.did and run.did.count("send tank/lxc/db") == 1
    assert sum(run.slept) > 30


def test_a_node_that_stays_away_is_given_up_and_found_where_it_was_left(run: Run) -> None:
    run.node.trouble["send tank/lxc/db"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 1000
    with pytest.raises(LinkError):
        run()
    known = run.store.read()
    assert known and known.epoch == 1 and known.rebuild
    before = len(run.did)
    run.node.trouble.clear()
    assert run() == 0
    assert run.did[before : before + 3] == [
        f"step {run.plan.items[0].step}",
        "resume tank/lxc/db",
        f"step {run.plan.items[1].step}",
    ]


def test_a_link_that_breaks_before_every_byte_is_not_tried_for_ever(run: Run) -> None:
    run.node.trouble["send tank/data/db"] = [LinkError("gone")]
    run.node.trouble["resume tank/data/db"] = [LinkError("gone")] * 1000
    with pytest.raises(LinkError):
        run()
    assert run.did.count("resume tank/data/db") <= 12


def test_what_fails_twice_the_same_way_does_not_keep_the_others_waiting(run: Run) -> None:
    run.node.trouble["send tank/data/db"] = [CommandError("out of space")]
    run.node.trouble["resume tank/data/db"] = [CommandError("out of space")] * 5
    assert run() == 1
    assert "send tank/data/crm" in run.did and "step start-db" not in run.did and "step seal" not in run.did
    known = run.store.read()
    assert known and known.epoch == 1 and known.rebuild, "what is not whole is not written down as whole"


def test_a_token_whose_snapshot_is_gone_ends_our_own_receive_and_begins_anew(run: Run) -> None:
    first = run.plan.items[0]
    run.node.tokens[first.landing] = "1-old"
    run.here.token = None
    assert run() == 0
    assert run.did[:3] == [f"step {first.abort}", f"send {first.dataset}", f"step {first.step}"]


def test_a_snapshot_that_was_destroyed_meanwhile_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.here.gone.add("tank/data/crm")
    assert run() == 1
    assert "tank/data/crm: no such snapshot" in capsys.readouterr().out
    assert "step start-db" in run.did and "step start-crm" not in run.did


def test_a_container_that_does_not_answer_leaves_the_rebuild_open(run: Run) -> None:
    run.node.trouble["step start-db"] = [CommandError("db: probe failed for 30 s")]
    assert run() == 1
    known = run.store.read()
    assert known and known.rebuild and "step seal" not in run.did
    assert run() == 0
    assert run.did.count("send tank/data/crm") == 1


def test_killed_behind_the_record_a_second_run_changes_nothing(run: Run) -> None:
    run.node.trouble["step revoke"] = [LinkError("gone")]
    assert run() == 0
    assert run() == 0
    assert run.did.count("send tank/data/crm") == 1
