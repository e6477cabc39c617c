"""A vault's unit that a person starts: whose run it was, and how that one ended. systemctl alone is stood in for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from blackstart.cli.replicate import now_command
from blackstart.vault import oneshot

# `runs`: how often the unit was started; the nth run lies in a file of its own.
SYSTEMCTL = """#!/bin/sh
cd {folder}
runs=$(cat runs)
case "$1 $3" in
  "start "*) [ ! -e gone ] || exit 1
    if [ -e busy ]; then rm busy; exit 0; fi
    echo $((runs + 1)) >runs; exit "$(cat rc)" ;;
  "is-active "*) [ -e busy ] && echo activating || echo inactive ;;
  "show ExecMainStartTimestampMonotonic") echo "$runs" ;;
  "show ExecMainCode") cat code ;;
  "show ExecMainStatus") cat status ;;
esac
"""


class Unit:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("systemctl", SYSTEMCTL.format(folder=folder))
        self.put("journalctl", "#!/bin/sh\n")
        self.put("sleep", "#!/bin/sh\n")
        for name, text in {"runs": "4", "rc": "0", "code": "1", "status": "0"}.items():
            self.put(name, text + "\n")

    def put(self, name: str, text: str = "") -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def sh(self, script: str) -> tuple[int, str]:
        env = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-u", "-c", script], env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def start(self) -> int:
        lines = [*oneshot.follow("a.service"), *oneshot.start("a.service"), oneshot.ended(), 'exit "$status"']
        return self.sh("\n".join(lines))[0]

    def runs(self) -> int:
        return int((self.folder / "runs").read_text()) - 4


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path)


@pytest.mark.parametrize(
    ("rc", "code", "status", "ends"),
    [
        ("0", "1", "0", 0),
        ("0", "1", "2", 2),  # SuccessExitStatus=2
        ("1", "1", "3", 3),
        ("1", "2", "15", 1),  # killed by SIGTERM
        ("1", "2", "2", 1),  # killed by SIGINT: no exit code 2
    ],
)
def test_how_it_ended(unit: Unit, rc: str, code: str, status: str, ends: int) -> None:
    for name, text in {"rc": rc, "code": code, "status": status}.items():
        unit.put(name, text + "\n")
    assert unit.start() == ends and unit.runs() == 1


@pytest.mark.parametrize("status", ["0", "2", "3"])
def test_one_that_could_not_be_started_has_not_ended_as_the_run_before_it_did(unit: Unit, status: str) -> None:
    unit.put("status", status + "\n")
    unit.put("gone")
    assert unit.start() == 1 and unit.runs() == 0


def test_who_asks_for_the_newest_data_is_not_given_the_end_of_an_older_replication(unit: Unit) -> None:
    unit.put("busy")
    code, said = unit.sh(now_command("node1"))
    assert (code, unit.runs()) == (0, 1)
    assert said == "node1: an older replication is still running; a new one follows it\n"


def test_nothing_under_way_is_one_replication(unit: Unit) -> None:
    assert unit.sh(now_command("node1")) == (0, "") and unit.runs() == 1
