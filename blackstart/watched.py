"""A long command whose output goes to a log: what it does just now is said while it runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path


def watched(argv: list[str], log: Path, say: Callable[[str], None]) -> int:
    """Run it to its end, behind what the log has; its exit status. `say` hears the log's last line each second."""
    with log.open("a") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        try:
            while True:
                try:
                    return process.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    say(last_line(log))
        except BaseException:
            process.terminate()
            process.wait()
            raise


def last_line(log: Path) -> str:
    """Of a log that may be long and is still written; one that overwrites itself with carriage returns counts, too."""
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - 400))
        lines = handle.read().decode(errors="replace").replace("\r", "\n").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")
