"""A long command says what it does just now, and ends with whoever waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.watched import last_line, watched


def test_it_goes_on_behind_what_the_log_has_and_says_its_last_line(tmp_path: Path) -> None:
    log, said = tmp_path / "log", list[str]()
    log.write_text("before\n")
    assert watched(["sh", "-c", "printf 'one\\r 50%%\\r\\n\\n'; sleep 1.5; exit 3"], log, said.append) == 3
    assert said == [" 50%"] and log.read_text().startswith("before\none")


def test_who_stops_waiting_stops_it(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched(
            ["sh", "-c", f"trap 'touch {tmp_path}/ended; exit' TERM; while :; do sleep 0.1; done"],
            tmp_path / "log",
            stop,
        )
    assert (tmp_path / "ended").exists()


def test_the_last_line_of_a_log_that_has_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n")
    assert last_line(log) == ""
