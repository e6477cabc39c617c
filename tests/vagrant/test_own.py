"""A libvirt of its own ends with whoever asked for it; inside of another one, since that is where these tests run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = """import sys
from pathlib import Path
from blackstart.vagrant import own
sys.exit(own.run({command}, Path({at!r})))
"""


def begin(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", OWN.format(command=list(command), at=str(folder))]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL)


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to it in time"
        time.sleep(0.2)


def running(word: str) -> list[int]:
    """Processes that carry this word on their command line, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in line:
                found.append(int(entry.name))
    return found


def daemons() -> int:
    return len(running("libvirtd"))


def test_its_end_is_the_end_of_all_and_the_exit_code_is_the_commands(tmp_path: Path) -> None:
    before = daemons()
    script = "ip link add br7 type bridge; [ -S /run/libvirt/libvirt-sock ]; exit 7"
    with begin(tmp_path / "own", "sh", "-euc", script) as asked:
        assert asked.wait(300) == 7
    until(lambda: daemons() == before)
    assert "br7" not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert not (tmp_path / "own/images").exists()


def test_a_kill_leaves_nothing_running_and_the_next_run_removes_its_files(tmp_path: Path) -> None:
    before = daemons()
    folder = tmp_path / "own"
    with begin(folder, "sh", "-c", f"touch {tmp_path}/begun {folder}/images/big; exec sleep 7654") as asked:
        until((tmp_path / "begun").exists)
        assert daemons() == before + 1
        asked.send_signal(signal.SIGKILL)
    until(lambda: daemons() == before and not running("sleep\0" + "7654"))
    assert (folder / "images/big").exists()
    with begin(folder, "true") as again:
        assert again.wait(300) == 0
    assert not (folder / "images").exists()
