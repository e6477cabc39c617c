"""A unit of the host that the spec no longer has: stopped and removed when it came from the spec, left alone else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rebuild_world import node_spec
from test_retire import reading, retired

from blackstart.converge import paths
from blackstart.converge.retire_commands import commands
from blackstart.converge.retire_text import as_text
from blackstart.live.model import FileLive
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import NodeSpec

TIMER = "backup.timer"
MARKED = {
    path: FileLive("0" * 64, "0644", "root", "root")
    for path in (paths.unit_mark(TIMER), f"/etc/systemd/system/{TIMER}", "/etc/systemd/system/mine.service")
}


def timed() -> NodeSpec:
    return node_spec(host={"units": {TIMER: "[Timer]"}})


def test_a_unit_is_stopped_and_its_mark_goes_last() -> None:
    made = retired(TIMER, replace(reading(), files=Present(MARKED)))
    assert made.recorded is None and made.moves == () and "backup.timer is stopped and disabled" in as_text(made)
    assert commands(made)[0].splitlines() == [
        "set -eu",
        "if [ -e /etc/systemd/system/backup.timer ]; then systemctl stop backup.timer;"
        " systemctl disable backup.timer; fi",
        "rm -f -- /etc/systemd/system/backup.timer",
        "systemctl daemon-reload",
        "rm -f -- /usr/local/lib/blackstart/unit-backup.timer",
    ]
    again = retired(TIMER, replace(reading(), files=Present({})))
    assert again.is_empty and again.refusal == "" and as_text(again).endswith("nothing to do")
    template = retired(
        "run@.service",
        replace(reading(), files=Present({paths.unit_mark("run@.service"): MARKED[paths.unit_mark(TIMER)]})),
    )
    assert "systemctl stop 'run@*.service'; systemctl disable run@.service" in commands(template)[0]


@pytest.mark.parametrize(
    ("name", "spec", "applied", "words"),
    [
        (TIMER, timed, None, "remove it from nodes/node1.toml first"),
        (TIMER, node_spec, timed, "still in the spec as last applied"),
        ("mine.service", node_spec, None, "did not come from the spec: it is yours"),
    ],
)
def test_a_unit_that_is_wanted_or_somebody_elses_stays(name: str, spec: Any, applied: Any, words: str) -> None:
    made = retired(name, replace(reading(), files=Present(MARKED)), spec=spec(), applied=applied and applied())
    assert words in made.refusal and commands(made) == [] and not made.unread


def test_a_unit_is_not_retired_when_the_files_could_not_be_read() -> None:
    assert retired(TIMER, replace(reading(), files=Unknown("not run as root"))).unread
