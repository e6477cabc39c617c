"""Nothing happens at a step unless the program's own environment asks for it; then exactly there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blackstart import failpoint

PROGRAM = """
from blackstart.failpoint import reach
for name in ("one", "two", "two", "three"):
    reach(name)
    print(name, flush=True)
"""


def run(asked: str | None) -> subprocess.Popen[str]:
    environment = {**os.environ} | ({failpoint.VARIABLE: asked} if asked is not None else {})
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(asked: str | None) -> tuple[int, list[str], list[str]]:
    with run(asked) as program:
        done, said = program.communicate(timeout=60)
    return program.returncode, done.split(), said.splitlines()


def test_off_it_says_and_does_nothing() -> None:
    assert ended(None) == (0, ["one", "two", "two", "three"], [])


TOLD = ["failpoint 1: one#1", "failpoint 2: two#1", "failpoint 3: two#2", "failpoint 4: three#1"]


@pytest.mark.parametrize(
    ("step", "done"),
    [("1", 0), ("3", 2), ("two", 1), ("two#1", 1), ("two#2", 2), ("three", 3), ("0", 4), ("5", 4), ("two#3", 4)],
)
def test_at_a_name_or_a_number_nothing_more_is_done(step: str, done: int) -> None:
    code, printed, told = ended(f"kill@{step}")
    assert printed == ["one", "two", "two", "three"][:done]
    assert (code, told) == ((-signal.SIGKILL, TOLD[: done + 1]) if done < 4 else (0, TOLD))


def test_stopped_it_stands_there_until_it_is_woken() -> None:
    with run("stop@two") as program:
        deadline = time.monotonic() + 60
        while Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert program.stdout and program.stdout.readline() == "one\n"
        program.send_signal(signal.SIGCONT)
        assert program.communicate(timeout=60)[0] == "two\ntwo\nthree\n"
    assert program.returncode == 0


@pytest.mark.parametrize("asked", ["", "kill", "kill@", "burn@1", "@1"])
def test_what_cannot_be_meant_is_said(asked: str) -> None:
    code, done, said = ended(asked)
    assert code == 1 and not done and said == [f"{failpoint.VARIABLE}={asked}: {said[0].partition(': ')[2]}"]
    assert "kill@STEP" in said[0]
