"""The person at the terminal: what Ctrl-C means, and runs that nobody can be asked in. No pyinfra is imported here."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = (
    "Interrupted. Nothing is lost: the same command goes on where it was.\n"
    "A restore that began on the vault goes on by itself: blackstart attach NODE"
)

NOBODY_TO_ASK = "nobody can be asked here, there is no terminal: look with --dry, then say yes with -y"


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, f"\n{INTERRUPTED}\n".encode())
    # An exception may be swallowed by whatever runs just now, and the run would go on. Death lets go of every lock,
    # and each step may be cut off anywhere.
    os._exit(1)


def stop_with_an_error() -> None:
    """Ctrl-C ends a run with exit code 1 and what to do; pyinfra 3.10 ends it as if all had been done, with 0."""
    signal.signal(signal.SIGINT, _interrupted)


def waits_for_nobody(said: Mapping[str, Any]) -> bool:
    """Would pyinfra's question meet a closed stdin, and end in a traceback? `said`: pyinfra's own options."""
    if any(said.get(key) for key in ("yes", "dry", "json_output")):
        return False
    try:
        kind = os.fstat(0)
    except OSError:
        return True
    return stat.S_ISCHR(kind.st_mode) and kind.st_rdev == Path(os.devnull).stat().st_rdev
