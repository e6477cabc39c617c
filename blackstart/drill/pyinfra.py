"""Run the very commands that people type, with their output in a log file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from blackstart.drill.journal import DrillError

LIMIT = 1500  # seconds that a command may take


class Operator:
    """Someone at a terminal: a fleet folder, the lab's ssh_config, and the project's root as current folder."""

    def __init__(self, root: Path, fleet: Path, ssh_config: Path) -> None:
        self.root = root
        self.fleet = fleet
        self.ssh_config = ssh_config
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = {
            **os.environ,
            "PATH": path,
            "BLACKSTART_FLEET": str(fleet),
            "BLACKSTART_SSH_CONFIG": str(ssh_config),
        }

    def deploy(self, deploy: str, log: TextIO, *more: str, expect: int = 0) -> str:
        """`pyinfra inventory deploys/X.py ... -y`; returns its whole output."""
        data = ["--data", f"ssh_config_file={self.ssh_config}"]
        return self.run(["pyinfra", "inventory", f"deploys/{deploy}.py", *data, *more, "-y"], log, expect)

    def blackstart(self, log: TextIO, *words: str, expect: int = 0) -> str:
        """`blackstart WORDS`; returns its whole output."""
        return self.run([sys.executable, "-m", "blackstart", *words], log, expect)

    def run(self, command: Sequence[str], log: TextIO, expect: int = 0) -> str:
        """Run one command; each line in the log begins with the seconds since. Raises DrillError when it ends with
        another exit code than `expect`.
        """
        began = time.monotonic()
        log.write(f"$ {' '.join(command)}\n")
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as done:
            limit = threading.Timer(LIMIT, done.kill)
            limit.start()
            said = "".join(_logged(done.stdout or (), log, began))
            limit.cancel()
        log.write(f"[exit {done.returncode}, {time.monotonic() - began:.1f} s]\n")
        log.flush()
        if done.returncode != expect:
            last = [line for line in said.splitlines() if line.strip()][-3:]
            raise DrillError(f"`{' '.join(command[:3])}` ended with {done.returncode}: {' / '.join(last)}")
        return said


def _logged(lines: Iterable[str], log: TextIO, began: float) -> Iterator[str]:
    for line in lines:
        log.write(f"[{time.monotonic() - began:6.1f}] {line}")
        log.flush()
        yield line
