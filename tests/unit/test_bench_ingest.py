"""The measurement of heartbeats taken: with the database where there is one, without it where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from blackstart.bench import ingest, ingest_peer, postgres

Commands = list[list[str]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """What was started; it takes its time for each heartbeat, less of it the earlier it was started."""
    commands: Commands = []

    @contextmanager
    def serving(command: list[str], port: int, more: Mapping[str, str] = {}) -> Iterator[Callable[[int], float]]:
        commands.append(command)
        took = len(commands) / 1000
        yield lambda count: took

    monkeypatch.setattr(ingest, "_serving", serving)
    monkeypatch.setattr(ingest, "_await_files", lambda root: None)
    monkeypatch.setattr(ingest, "REST", 0)
    return commands


def test_without_a_database_the_file_stands_in_and_it_is_said(
    served: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: None)
    assert [(row.peer, row.ratio, row.goal) for row in ingest.rows(tmp_path)] == [(ingest.FILE, 0.5, ingest.GOAL)]
    assert "apt install postgresql" in capsys.readouterr().err


def test_the_goal_is_the_frameworks_where_there_is_a_database(
    served: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def running(folder: Path, cores: set[int]) -> Iterator[str]:
        yield "host=here"

    monkeypatch.setattr(postgres, "programs", lambda: tmp_path)
    monkeypatch.setattr(postgres, "running", running)
    made = list(ingest.rows(tmp_path))
    goals = [(ingest.FILE, None), (ingest.BARE, None), (ingest.DJANGO, ingest.GOAL)]
    assert [(row.peer, row.goal) for row in made] == goals
    assert [round(row.theirs) for row in made] == [2, 3, 4] and capsys.readouterr().err == ""
    assert [command[-1] == "host=here" for command in served] == [False, False, True, False]
    assert served[-1][-1] == "blackstart.bench.ingest_django"


def test_no_peer_is_slowed_down_by_how_many_come_at_once() -> None:
    """Of more than a server keeps waiting the kernel drops some, and they try again a second later."""
    assert ingest_peer.Server.request_queue_size >= ingest.NODES
