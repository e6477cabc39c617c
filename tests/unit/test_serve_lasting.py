"""What was acknowledged lasts, and one node's oddity is nobody else's trouble."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from serve_world import beat

from blackstart.live.model import HostLive
from blackstart.serve import wal
from blackstart.serve.config import Beat, Config
from blackstart.serve.events import Event, Events, New
from blackstart.serve.fleet import Fleet, kept, missed
from blackstart.serve.folders import Folders
from blackstart.serve.heartbeat import Heartbeat, parse
from blackstart.serve.reading import _sound
from blackstart.serve.store import Store
from blackstart.serve.writer import Files
from blackstart.vault import files

CONFIG = Config("vault1", "tank", "127.0.0.1", 1, {"node1": Beat(60, 30, 0)})
HOST = HostLive("0" * 36, "007f0101", "node1", 1790000000, 100.0, (0.1, 0.2, 0.3), 1, 1, "6.12", "13")


def document(received: float = 1000.0, **changed: Any) -> bytes:
    """As the log holds it."""
    return json.dumps({"received": received, "boots": []} | beat(**changed)).encode()


def test_a_log_written_anew_goes_on_in_the_new_file_also_where_its_folder_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = wal.Log(tmp_path / "log")
    log.append([b'"a"'])

    def broken(_: Path) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(wal, "sync_folder", broken)
        log.rewrite([b'"a"'])
    log.append([b'"b"'])
    assert wal.Log(tmp_path / "log").read() == [b'"a"', b'"b"']


@pytest.mark.parametrize(
    "line",
    [b"5", b"[]", b"{", b"{}", b"[" * 9000, b'{"node":"node1"}', document().replace(b"1000.0", b"NaN")],
)
def test_a_line_that_is_no_heartbeat_hides_none(line: bytes) -> None:
    fleet = Fleet({"node1": Beat(60, 30, 0)})
    known = fleet.load([line, document(sequence=7)], 1000.0, 50.0)
    assert list(known) == [("node1",)] and fleet.known["node1",].beat["sequence"] == 7


def test_a_line_of_an_older_version_has_what_it_did_not_write() -> None:
    said = {key: value for key, value in json.loads(document()).items() if key not in ("status", "missed")}
    found = kept(json.dumps(said).encode())
    assert found is not None and (found["status"], found["missed"]) == ("unknown", 0)


def test_a_change_that_nobody_was_told_of_is_told_after_a_kill() -> None:
    boots = [f"{number:036d}" for number in range(2)]
    log = [document(1000, sequence=1, boot_id=boots[0]), document(1060, sequence=2, boot_id=boots[1])]
    said = list(missed(log, lambda *_: False, 1050))
    assert said == [("node1", 2, "node1 was booted")]
    assert not list(missed(log, lambda node, sequence: (node, sequence) == ("node1", 2), 1050))
    blind = [
        log[0],
        document(1030, sequence=2, boot_id=None, containers=None),
        document(1060, sequence=3, containers={}),
    ]
    assert list(missed(blind, lambda *_: False, 1050))[-1] == ("node1", 3, "container crm does not run any more")
    assert not list(missed(log, lambda *_: False, 1061)) and not list(missed(log[1:], lambda *_: False, 0))


def test_an_epoch_that_was_never_given_locks_nobody_out() -> None:
    fleet = Fleet({"node1": Beat(60, 30, 0)})

    def comes(sequence: int, epoch: int, recorded: Callable[[str], int | None]) -> None:
        said = parse(Heartbeat, json.dumps(beat(sequence=sequence, uptime=sequence, epoch=epoch)).encode())
        _, fleet.known["node1",] = fleet.next(said, 1000.0, 50.0, recorded)

    comes(1, 2**53 - 1, lambda _: 2)
    with pytest.raises(ValueError, match="epoch 1 is over"):
        comes(2, 1, lambda _: 2)
    with pytest.raises(ValueError, match="epoch 2 is over"):
        comes(2, 2, lambda _: None)
    comes(2, 2, lambda _: 2)
    with pytest.raises(ValueError, match="epoch 1 is over, the node's is 2"):
        comes(3, 1, lambda _: 2)


def test_a_container_named_like_a_file_takes_no_service_s_place(tmp_path: Path) -> None:
    (tmp_path / "node1/now").mkdir(parents=True)
    folders = Folders(tmp_path)
    folders.heartbeat(json.loads(document(containers={"crm.json": {"services": ["a.service"]}})))
    folders.service({"node": "node1", "service": "crm"})
    assert (tmp_path / "node1/now/services/crm.json").is_file()


@pytest.mark.parametrize("text", ['{"services":5}', '{"services":[5]}', "[" * 9000, "5", "{"])
def test_whatever_lies_where_a_file_is_to_be_is_replaced(tmp_path: Path, text: str) -> None:
    place = tmp_path / "node1/now/containers/crm.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    Folders(tmp_path).heartbeat(json.loads(document(containers={"crm": {"services": ["a.service"]}})))
    assert json.loads(place.read_text())["services"] == ["a.service"]


def test_files_that_cannot_be_written_keep_no_others_waiting() -> None:
    done: list[bytes] = []
    said: list[str] = []

    def spread(found: bytes) -> None:
        if found == b"odd":
            raise TypeError("no such thing")
        done.append(found)

    files = Files(lambda: None, spread, said.append)
    files.follow({1: b"odd", 2: b"good"})
    files.start()
    until = time.monotonic() + 20
    while not said and time.monotonic() < until:
        time.sleep(0.01)
    files.follow({3: b"later"})
    files.end()
    assert done == [b"good", b"later"] and said[0] == "TypeError: no such thing"


@pytest.mark.parametrize(
    "odd",
    [
        {"boot_id": "x" * 5_000_000},
        {"uptime": float("inf")},
        {"uptime": 1e307},
        {"uptime": -5.0},
        {"load": (float("nan"), 0.0, 0.0)},
        {"clock": 10**24},
    ],
)
def test_a_host_that_cannot_be_is_refused(odd: dict[str, Any]) -> None:
    assert _sound(HOST) and not _sound(replace(HOST, **odd))


def test_what_is_read_for_many_who_were_away_holds_up_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(tmp_path / "events.jsonl")
    read: list[int] = []

    def slow(number: int) -> list[Event]:
        read.append(number)
        time.sleep(0.3)
        return []

    async def follow() -> None:
        async for _ in events.follow(0, 60):
            pass

    async def all_of() -> None:
        readers = [asyncio.create_task(follow()) for _ in range(20)]
        await asyncio.sleep(0.1)
        events.end_followers()
        await asyncio.gather(*readers)

    monkeypatch.setattr(events, "_in_memory", lambda _: None)
    monkeypatch.setattr(events, "after", slow)
    asyncio.run(all_of())
    assert len(read) == 2


def test_events_that_cannot_be_written_are_tried_again_and_leave_nothing_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "now").mkdir()
    events = Events(tmp_path / "now/events.jsonl")
    store = Store(CONFIG, tmp_path, lambda: None, events)
    store._tell([New("heartbeat", "node1", "first")])
    before = events.path.read_bytes()

    def broken(path: Path, line: str) -> None:
        with path.open("a") as file:
            file.write(line)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(files, "append", broken)
        for _ in range(3):
            store._tell([New("heartbeat", "node1", "second")])
        assert store.silence == "events.jsonl: Input/output error" and events.path.read_bytes() == before
    store.tell([])
    store._telling.shutdown()
    assert store.silence == "" and [each.text for each in events.after(1)] == ["second"] * 3


def test_lines_of_the_log_that_are_passed_over_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "now").mkdir()
    (tmp_path / "now/heartbeats.wal").write_bytes(wal.line(b"5") + wal.line(document(sequence=7)))

    async def start() -> None:
        store = Store(CONFIG, tmp_path, lambda: None, Events(tmp_path / "now/events.jsonl"))
        store.start()
        assert list(store.fleet.known) == [("node1",)]
        store.stop()

    asyncio.run(start())
    assert "heartbeats.wal: 1 lines are no heartbeats, and are passed over" in capsys.readouterr().err
