"""The operator's own deploys, named in the spec: run by the real command line, in their order, before ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYINFRA = Path(sys.executable).with_name("pyinfra")

OWN = """from pyinfra.operations import server

server.shell(name="{word}", commands=["echo {word} >> {log}{more}"])
"""
SITE = """from pathlib import Path

from deploys.host import own
from pyinfra.operations import server

own(("my/first.py", "my/second.py"), Path("{fleet}"))
server.shell(name="ours", commands=["echo ours >> {log}"])
"""


def run(folder: Path, more: str = "") -> tuple[int, list[str]]:
    """A deploy with two of the operator's own before ours. `more`: what the second one's command does beside."""
    log = folder / "log"
    (folder / "my").mkdir()
    for word, rest in (("first", ""), ("second", more)):
        (folder / f"my/{word}.py").write_text(OWN.format(word=word, log=log, more=rest))
    (folder / "site.py").write_text(SITE.format(fleet=folder, log=log))
    environment = os.environ | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    words = [str(PYINFRA), "@local", str(folder / "site.py"), "-y"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, log.read_text().split() if log.exists() else [done.stderr]


def test_they_run_in_their_order_and_before_ours(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, ["first", "second", "ours"])


def test_one_that_fails_ends_the_run_of_its_host_before_ours(tmp_path: Path) -> None:
    code, log = run(tmp_path, "; false")
    assert code != 0 and log == ["first", "second"]
