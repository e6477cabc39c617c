"""The measurement of heartbeats taken: with the database where there is one, without it where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    def serving(command: list[str], port: int) -> Iterator[Callable[[int], float]]:
        commands.append(command)
        took = len(commands) / 1000
        yield lambda count: took

    monkeypatch.setattr(ingest, "_serving", serving)
    return commands


def test_without_a_database_the_file_stands_in_and_it_is_said(
    served: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: None)
    assert [(row.peer, row.ratio, row.goal) for row in ingest.rows(tmp_path)] == [(ingest.FILE, 0.5, ingest.GOAL)]
    assert "apt install postgresql" in capsys.readouterr().err


def test_the_goal_is_the_databases_where_there_is_one(
    served: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def running(folder: Path, cores: set[int]) -> Iterator[str]:
        yield "host=here"

    monkeypatch.setattr(postgres, "programs", lambda: tmp_path)
    monkeypatch.setattr(postgres, "running", running)
    made = list(ingest.rows(tmp_path))
    assert [(row.peer, row.goal) for row in made] == [(ingest.FILE, None), (ingest.DATABASE, ingest.GOAL)]
    assert [round(row.theirs) for row in made] == [2, 3] and capsys.readouterr().err == ""
    assert [command[-1] == "host=here" for command in served] == [False, False, True]


def test_no_peer_is_slowed_down_by_how_many_come_at_once() -> None:
    """Of more than a server keeps waiting the kernel drops some, and they try again a second later."""
    assert ingest_peer.Server.request_queue_size >= ingest.NODES
