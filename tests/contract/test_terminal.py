"""pyinfra's own questions on a terminal, Ctrl-C, and a run that nobody watches."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typist import CTRL_C, CTRL_D, ENTER, typed

from blackstart.ssh import NextCommand
from blackstart.terminal import INTERRUPTED, NOBODY_TO_ASK, NOTHING_CHANGED

ROOT = Path(__file__).resolve().parents[2]
ENV = {**os.environ, "PYINFRA_PROGRESS": "off"}
QUESTION = "Press enter to execute..."


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command that makes a folder `made`, then sleeps."""
    (tmp_path / "hosts.py").write_text("hosts = ['@local']\n")
    (tmp_path / "deploy.py").write_text(
        "from pyinfra.operations import server\n"
        f"server.shell(name='Make', commands=['mkdir {tmp_path}/made'])\n"
        f"server.shell(name='Sleep', commands=['touch {tmp_path}/asleep; sleep 60'])\n"
    )
    return [str(Path(sys.executable).with_name("pyinfra")), str(tmp_path / "hosts.py"), str(tmp_path / "deploy.py")]


@pytest.mark.parametrize(
    ("answer", "ends"), [("n" + ENTER, NOTHING_CHANGED), (CTRL_D, NOTHING_CHANGED), (CTRL_C, INTERRUPTED)]
)
def test_whoever_says_no_changes_nothing(words: list[str], tmp_path: Path, answer: str, ends: str) -> None:
    code, said = typed(words, [(QUESTION, answer)], ROOT, ENV)
    assert not (tmp_path / "made").exists()
    assert "Traceback" not in said and said.endswith(f"\n{ends}\n")
    assert code == 1


def test_whoever_only_looks_has_refused_nothing(words: list[str], tmp_path: Path) -> None:
    code, said = typed([*words, "--dry"], [], ROOT, ENV)
    assert code == 0 and NOTHING_CHANGED not in said and not (tmp_path / "made").exists()


def test_an_error_before_the_question_is_no_answer(words: list[str]) -> None:
    Path(words[-1]).write_text("raise EOFError('the connection ended')\n")
    code, said = typed(words, [], ROOT, ENV)
    assert code == 1 and "the connection ended" in said and NOTHING_CHANGED not in said


def test_enter_goes_on_and_ctrl_c_ends_it_with_an_error_and_what_to_do(words: list[str], tmp_path: Path) -> None:
    code, said = typed(words, [(QUESTION, ENTER), ((tmp_path / "asleep").exists, CTRL_C)], ROOT, ENV)
    assert (tmp_path / "made").exists()
    assert code == 1 and INTERRUPTED in said
    assert "Traceback" not in said and all(len(line) <= 80 for line in INTERRUPTED.splitlines())


def test_where_nobody_can_be_asked_it_ends_before_anything_is_read(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(words, cwd=ROOT, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1 and NOBODY_TO_ASK in done.stderr
    assert "Loading inventory" not in done.stderr and not (tmp_path / "made").exists()


def test_a_login_that_may_not_use_sudo_is_that_hosts_error_and_says_what_to_do(tmp_path: Path) -> None:
    """pyinfra would ask for a password, and end for every host where nobody is."""
    (tmp_path / "bin").mkdir()
    sudo = tmp_path / "bin/sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    sudo.chmod(0o755)
    (tmp_path / "hosts.py").write_text("hosts = ['@local']\n")
    (tmp_path / "deploy.py").write_text(
        "from pyinfra import host\nfrom facts.node import NodeReading\nhost.get_fact(NodeReading, _sudo=True)\n"
    )
    done = subprocess.run(
        [str(Path(sys.executable).with_name("pyinfra")), str(tmp_path / "hosts.py"), str(tmp_path / "deploy.py"), "-y"],
        cwd=ROOT,
        env={**ENV, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert done.returncode not in (0, 2) and "Traceback" not in done.stderr
    assert "sudo: a password is required" in done.stderr
    said = next(line for line in done.stderr.splitlines() if "could not load fact" in line)
    record = logging.LogRecord("pyinfra", logging.ERROR, "", 0, said.replace("@local", "node1"), (), None)
    assert NextCommand().filter(record) and record.getMessage().endswith("; next: blackstart why node1")
