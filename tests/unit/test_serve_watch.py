"""Who is late and who is silent, told once; by a clock that nobody sets."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from serve_world import beat, folders

from blackstart.serve.config import Beat
from blackstart.serve.events import Events
from blackstart.serve.fleet import Fleet, ticks
from blackstart.serve.heartbeat import Heartbeat, parse
from blackstart.serve.store import Store
from blackstart.serve.watch import Watch

WALL = 1_790_000_000.0


def heartbeat(sequence: int = 1) -> Heartbeat:
    return parse(Heartbeat, json.dumps(beat(sequence=sequence)).encode())


def hear(fleet: Fleet, sequence: int, now: float, wall: float = WALL) -> bytes:
    document, known = fleet.next(heartbeat(sequence), wall, now)
    fleet.known[("node1",)] = known
    return document


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(folders(tmp_path), tmp_path / "live", lambda: None, Events(tmp_path / "live/now/events.jsonl"))


def told(store: Store) -> list[str]:
    store._telling.submit(lambda: None).result()
    return [each.text for each in store.events.after(0)]


def test_late_silent_and_heard_again_are_each_told_once(store: Store) -> None:
    begin = math.ceil(ticks()) + 1.0  # whole: added to and taken from, it stays the same
    watch = Watch(store)
    hear(store.fleet, 1, begin)
    for age in (0, 90, 91, 200, 270, 271, 5000):
        watch.look(begin + age)
    hear(store.fleet, 2, begin + 5010)
    watch.look(begin + 5011)
    watch.look(begin + 5012)
    assert told(store) == [
        "node1 is late: no heartbeat for 91 s",
        "node1 is silent: no heartbeat for 271 s",
        "node1 is heard again",
    ]


def test_a_node_that_was_never_heard_is_unknown_and_nobody_is_told(store: Store) -> None:
    assert not Watch(store).look(ticks() + 10**6)
    assert store.fleet.heard("node2", ticks()) == "unknown" and told(store) == []


def test_while_the_service_did_not_run_nobody_could_be_heard(store: Store) -> None:
    now = ticks()
    store.fleet.load([hear(store.fleet, 1, now, WALL - 9000)], WALL, now)
    watch = Watch(store)
    assert not watch.look(now + 60) and watch.look(now + 95)
    assert told(store) == ["node1 is late: no heartbeat for 9095 s"]
    # What the API says of it is the truth all the same.
    assert store.fleet.heard("node1", now + 60) == "silent"


def test_what_was_told_before_a_restart_is_not_told_again(store: Store) -> None:
    begin = ticks()
    document = hear(store.fleet, 1, begin, WALL - 9000)
    store.fleet.load([document], WALL, begin)
    store.write_index(store.index())
    watch = Watch(store)
    watch._told = watch._remembered()
    watch.look(begin + 5000)
    assert told(store) == []


def test_a_wall_clock_that_jumps_makes_nobody_silent_and_nobody_fresh() -> None:
    fleet = Fleet({"node1": Beat(60, 30, 60)})
    hear(fleet, 1, 1000.0, WALL)
    assert fleet.heard("node1", 1080.0) == "fresh"
    hear(fleet, 2, 1060.0, WALL - 86400)
    assert fleet.heard("node1", 1140.0) == "fresh" and fleet.heard("node1", 1500.0) == "silent"


def test_what_was_received_in_the_future_says_nothing_until_the_next_one() -> None:
    fleet = Fleet({"node1": Beat(60, 30, 60)})
    document = hear(fleet, 1, 1000.0, WALL + 86400)
    later = Fleet({"node1": Beat(60, 30, 60)})
    later.load([document], WALL, 50.0)
    assert later.heard("node1", 60.0) == "unknown"
    hear(later, 2, 60.0)
    assert later.heard("node1", 61.0) == "fresh"


def test_the_newest_on_the_log_counts_whatever_its_clock_said() -> None:
    fleet, later = Fleet({"node1": Beat(60, 30, 60)}), Fleet({"node1": Beat(60, 30, 60)})
    documents = [hear(fleet, number, 1000.0, WALL - number * 1000) for number in (1, 2, 3)]
    newest = later.load(documents, WALL, 50.0)
    assert newest == {("node1",): documents[2]} and later.known[("node1",)].last.sequence == 3
