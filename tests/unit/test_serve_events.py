"""Events: numbered for ever, on the disk before anybody is told, and whoever was away misses none."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from blackstart.serve import events as module
from blackstart.serve.events import Event, Events, New


def ids(found: list[Event]) -> list[int]:
    return [each.id for each in found]


def test_an_event_is_a_line_with_the_next_number_by_this_clock(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl", clock=lambda: 7.9)
    made = events.add("signal", "node1", "ops is about to upgrade db", {"severity": "may-break"})
    assert made == Event(1, 7, "signal", "node1", "ops is about to upgrade db", {"severity": "may-break"})
    assert ids(events.add_all([New("heartbeat", "node2", "late"), New("heartbeat", "node3", "late")])) == [2, 3]
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [1, 2, 3] and {line["format"] for line in lines} == {1}
    assert events.add_all([]) == [] and events.last == 3


def test_numbers_go_on_after_a_restart_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    for n in range(3):
        Events(path).add("service", "", f"start {n}")
    with path.open("a") as file:
        file.write('{"format": 1, "id": 99, "at"')  # a power cut
    events = Events(path, clock=lambda: 0.0)
    assert events.last == 3
    assert events.add("service", "", "a clock that went back").id == 4
    assert ids(Events(path).after(0)) == [1, 2, 3, 4]


def test_a_number_is_not_given_twice_when_the_disk_was_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(tmp_path / "e.jsonl")
    with monkeypatch.context() as broken:
        broken.setattr("blackstart.vault.files.append", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space left"):
            events.add("service", "", "lost")
    assert events.add("service", "", "kept").id == 2
    assert ids(events.after(0)) == [2]


def test_a_log_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").mkdir()
    with pytest.raises(OSError):
        Events(tmp_path / "e.jsonl")


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl")
    events.add("service", "", "before")
    (tmp_path / "e.jsonl").rename(tmp_path / "old")
    assert events.add("service", "", "after").id == 2
    assert "after" in (tmp_path / "e.jsonl").read_text() and "before" in (tmp_path / "old").read_text()


def test_what_is_long_ago_comes_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECENT", 5)
    monkeypatch.setattr(module, "MOST", 12)
    events = Events(tmp_path / "e.jsonl")
    events.add_all(New("service", "", str(n)) for n in range(20))
    assert ids(events.after(17)) == [18, 19, 20]
    assert ids(events.after(10)) == list(range(11, 21))
    assert ids(events.after(8)) == list(range(9, 21)) and events.after(8)[0].text == "8"
    for number in (2, 999):  # a number that was never given is one of a log that was lost
        first, *rest = events.after(number)
        assert ids(rest) == list(range(9, 21))  # the newest, no more
        assert (first.id, first.data) == (8, {"left_out": 8})
        assert (
            first.text
            == "events up to 8 are left out: of more than 12 the newest are sent; blackstart timeline has them"
        )
    assert ids(events.after(20)) == []


def test_threads_share_one_row_of_numbers(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl")

    def work() -> None:
        for _ in range(20):
            events.add("service", "", "x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert ids(Events(tmp_path / "e.jsonl").after(0)) == list(range(1, 81))


def test_a_follower_hears_old_and_new_ones_and_of_quiet(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl")
    events.add_all(New("service", "", str(n)) for n in range(3))

    async def follow() -> list[int | None]:
        heard: list[int | None] = []
        stream = events.follow(1, idle=0.05)
        async for event in stream:
            heard.append(event.id if event else None)
            if heard == [2, 3, None]:
                threading.Thread(target=events.add, args=("service", "", "later")).start()
            if event and event.id == 4:
                await stream.aclose()
                break
        return [each for n, each in enumerate(heard) if each or n < 3]

    assert asyncio.run(follow()) == [2, 3, None, 4]
    assert not events._bells


@pytest.mark.parametrize("turns", range(8))
def test_a_follower_that_is_cancelled_while_something_happens_is_gone(tmp_path: Path, turns: int) -> None:
    """`turns`: of the event loop, between the two."""
    events = Events(tmp_path / "e.jsonl")

    async def listen() -> None:
        async for _ in events.follow(0, idle=60):
            pass

    async def go() -> None:
        task = asyncio.create_task(listen())
        for _ in range(10):
            await asyncio.sleep(0)
        events.add("service", "", "x")
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        _, left = await asyncio.wait({task}, timeout=20)
        task.cancel()
        assert not left and task.cancelled()

    asyncio.run(go())


def _writer(path: Path, said: str) -> None:
    events = Events(path)
    with Path(said).open("a") as file:
        while True:
            file.write(f"{events.add('service', '', 'x').id}\n")
            file.flush()


def test_nothing_that_was_said_to_be_written_is_lost_by_a_kill(tmp_path: Path) -> None:
    path, said = tmp_path / "e.jsonl", tmp_path / "said"
    for run in range(1, 4):
        process = multiprocessing.get_context("fork").Process(target=_writer, args=(path, str(said)))
        process.start()
        deadline = time.monotonic() + 60
        while not said.exists() or len(said.read_text().splitlines()) < 5 * run:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    acknowledged = [int(line) for line in said.read_text().splitlines()]
    there = ids(Events(path).after(0))
    assert acknowledged and set(acknowledged) <= set(there)
    assert there == sorted(set(there))
