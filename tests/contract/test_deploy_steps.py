"""Every command of a deploy for a host is a step at which the deploy can be killed: by the name of its operation."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = """
from pyinfra.api.operation import operation
from pyinfra.context import host, state
from pyinfra.operations import server
from operations.held import fence

@operation()
def locked():
    if state.is_executing:
        fence(host, "node1")
    return
    yield

locked(name="Lock")
server.shell(name="One", commands=["echo 1 >> {out}"])
server.shell(name="Two", commands=["echo 2 >> {out}", "echo 3 >> {out}"])
"""


@pytest.mark.parametrize(("step", "done"), [("@local: One", ""), ("@local: Two#2", "1\n2\n"), ("0", "1\n2\n3\n")])
def test_it_ends_before_that_command(tmp_path: Path, step: str, done: str) -> None:
    out, deploy = tmp_path / "out", tmp_path / "deploy.py"
    out.touch()
    deploy.write_text(DEPLOY.format(out=out))
    ended = subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), "@local", str(deploy), "-y"],
        cwd=ROOT,
        env={**os.environ, "BLACKSTART_FAILPOINT": f"kill@{step}", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, out.read_text()) == (0 if step == "0" else -signal.SIGKILL, done), ended.stderr
    told = re.findall(r"^failpoint \d+: (.*)$", ended.stderr, re.M)
    assert told == ["@local: One#1", "@local: Two#1", "@local: Two#2"][: len(told)] and told
