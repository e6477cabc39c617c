"""The connection of a drill to root's program: one drill each, and its end is the end of all."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.isolated import ask as ask_module
from blackstart.isolated.ask import Helper, HelperError, Lost
from blackstart.isolated.root import Lines


def test_when_the_drill_is_killed_all_of_it_ends_at_once() -> None:
    """Also in the middle of a long step: nothing is waited for."""
    reading, writing = os.pipe()
    ended = threading.Event()
    with os.fdopen(reading) as file:
        lines = iter(Lines(file, end=lambda code: ended.set()))
        os.write(writing, b"one\n")
        assert next(lines) == "one\n"
        os.close(writing)
        assert ended.wait(10)  # while "one" is worked on


def test_when_it_ends_in_good_order_everything_is_closed() -> None:
    assert list(Lines(io.StringIO("one\ntwo\n"), end=lambda code: None)) == ["one\n", "two\n"]


@pytest.fixture
def socket_at(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        yield server


def test_one_that_is_still_ending_is_waited_for(
    socket_at: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_module.time, "sleep", lambda seconds: None)
    asked: list[str] = []

    def answer() -> None:
        socket_at.accept()[0].close()  # systemd, while MaxConnections is reached
        connection, _ = socket_at.accept()
        with connection, connection.makefile("rw") as file:
            for line in file:
                asked.append(json.loads(line)["verb"])
                print(json.dumps({"error": "no"} if asked[-1] == "mount" else {"value": 5}), file=file, flush=True)

    thread = threading.Thread(target=answer)
    thread.start()
    with Helper("node1", str(tmp_path / "s")) as helper:
        assert helper("unpack", "x") == 5
        with pytest.raises(HelperError, match="no"):
            helper("mount", "x")
    thread.join(10)
    assert not thread.is_alive()  # it was told that the connection has ended
    assert asked == ["open", "unpack", "mount"]


def test_where_there_is_no_such_program_the_next_step_is_said(tmp_path: Path) -> None:
    with pytest.raises(Lost, match="No such file or directory; next: systemctl status blackstart-drill-root"):
        Helper("node1", str(tmp_path / "none"), patience=0)
