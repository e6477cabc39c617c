"""The log of events is cut at its beginning: seldom, never what is still needed, and it says so."""

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

from blackstart.serve import thin as module
from blackstart.serve.events import Events, New
from blackstart.serve.thin import thin, thinning

YEAR = 365 * 86400
MANY = 10**9  # no place waits for any event


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 5)


def log(folder: Path, *times: int) -> Events:
    """Events of those times, numbered from 1."""
    clock = iter(times)
    events = Events(folder / "events.jsonl", lambda: next(clock, 10**9))
    for at in times:
        events.add("service", "", f"at {at}")
    return events


def numbers(events: Events) -> list[int]:
    """Of a service that starts now."""
    return [each.id for each in Events(events.path).after(0)]


def test_a_quarter_that_is_too_old_goes_and_whoever_asks_for_it_is_told(tmp_path: Path) -> None:
    events = log(tmp_path, *range(10, 30))
    mode = events.path.stat().st_mode
    assert thin(events, 20, MANY) > 0
    assert numbers(events) == list(range(6, 21)) and events.add("service", "", "later").id == 21
    first, *rest = Events(events.path).after(2)
    assert (first.id, first.at, first.data) == (6, 15, {"left_out": 6})
    assert first.text.startswith("events up to 6 are left out: the log keeps 365 days")
    assert [each.id for each in rest] == list(range(7, 22))
    assert [each.id for each in Events(events.path).after(6)] == list(range(7, 22))
    assert events.path.stat().st_mode == mode and len(list(tmp_path.iterdir())) == 1
    assert json.loads(events.path.read_text().splitlines()[0]) == json.loads(first.line())


def test_it_is_not_written_anew_for_less_than_a_quarter(tmp_path: Path) -> None:
    events = log(tmp_path, *range(10, 30))
    before = events.path.stat().st_ino
    assert thin(events, 14, MANY) == 0 and events.path.stat().st_ino == before


def test_what_somebody_has_still_to_be_told_stays(tmp_path: Path) -> None:
    events = log(tmp_path, *range(10, 30))
    assert thin(events, 100, 3) == 0 and numbers(events) == list(range(1, 21))


def test_a_clock_that_is_wrong_takes_nothing_that_is_young(tmp_path: Path) -> None:
    events = log(tmp_path, *range(10, 30))
    while thin(events, YEAR, MANY):  # it jumped ahead
        pass
    left = numbers(events)
    assert left[-5:] == [16, 17, 18, 19, 20] and 4 < len(left) < 10
    events.path.unlink()
    behind = log(tmp_path, 500, *[1] * 20)  # it was back in 1970 for a while
    assert thin(behind, 400, MANY) == 0 and numbers(behind) == list(range(1, 22))


def test_lines_that_are_no_events_go_with_the_others(tmp_path: Path) -> None:
    events = log(tmp_path, *range(10, 30))
    lines = events.path.read_text().splitlines()
    lines[2:2] = ["{", "[]", '{"format": 2}']
    events.path.write_text("\n".join(lines) + "\n")
    assert thin(events, 100, MANY) > 0 and numbers(events)[-1] == 20


def test_nothing_is_lost_of_what_is_added_meanwhile(tmp_path: Path) -> None:
    events = log(tmp_path, *[10] * 2000)
    stop = threading.Event()

    def add() -> None:
        while not stop.is_set():
            events.add("service", "", "young")

    writers = [threading.Thread(target=add) for _ in range(3)]
    for each in writers:
        each.start()
    cut = [thin(events, 100, MANY) for _ in range(4)]
    stop.set()
    for each in writers:
        each.join()
    left = numbers(events)
    assert cut[0] > 0 and left == list(range(left[0], events.last + 1)) and left[0] > 1


def _adds_and_thins(path: Path, said: Path) -> None:
    events = Events(path, lambda: 10)
    with said.open("a") as file:
        while True:
            events.add_all([New("service", "", "x" * 200)] * 20)
            file.write(f"{events.last}\n")
            file.flush()
            thin(events, 100, MANY)


def test_a_kill_leaves_a_whole_log(tmp_path: Path) -> None:
    path, said = tmp_path / "events.jsonl", tmp_path / "said"
    for run in range(1, 9):
        process = multiprocessing.get_context("fork").Process(target=_adds_and_thins, args=(path, said))
        process.start()
        deadline = time.monotonic() + 60
        while not said.exists() or len(said.read_text().splitlines()) < 5 * run:
            assert time.monotonic() < deadline
            time.sleep(0.003)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        left = [each.id for each in Events(path).after(0)]
        acknowledged = int(said.read_text().splitlines()[-1])
        assert left == list(range(left[0], left[-1] + 1)) and left[-1] >= acknowledged


def test_the_service_looks_now_and_then_and_a_full_disk_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = log(tmp_path, *range(10, 30))
    turns = iter(range(3))
    monkeypatch.setattr(module, "FIRST", 0)
    monkeypatch.setattr(module, "EVERY", 0)

    def usable() -> None:
        turn = next(turns)
        if turn == 0:
            raise OSError("it is not mounted")
        if turn == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(thinning(events, lambda: MANY, usable))
    assert "it is not mounted" in capsys.readouterr().err and numbers(events)[0] > 1
