"""The person at the terminal: what Ctrl-C means, and runs that nobody can be asked in. No pyinfra is imported here."""

from __future__ import annotations

import os
import signal
import stat
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = (
    "Interrupted. Nothing is lost: the same command goes on where it was.\n"
    "A restore that began on the vault goes on by itself: blackstart attach NODE"
)

NOTHING_CHANGED = "Nothing was changed."

NOBODY_TO_ASK = "nobody can be asked here, there is no terminal: look with --dry, then say yes with -y"


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, f"\n{INTERRUPTED}\n".encode())
    # An exception may be swallowed by whatever runs just now, and the run would go on. Death lets go of every lock,
    # and each step may be cut off anywhere.
    os._exit(1)


def stop_with_an_error() -> None:
    """Ctrl-C ends a run with exit code 1 and what to do; pyinfra 3.10 ends it as if all had been done, with 0."""
    signal.signal(signal.SIGINT, _interrupted)


def asks(said: Mapping[str, Any]) -> bool:
    """Does pyinfra show the changes and ask before it makes them? `said`: its own options and arguments."""
    deploys = [word for word in said.get("operations") or () if word.endswith(".py")]
    silent = ("yes", "dry", "json_output", "debug_facts", "debug_operations")
    return bool(deploys) and not any(said.get(key) for key in silent)


def is_no(leaving: BaseException | None) -> bool:
    """Does pyinfra end because its question was answered with a word, or with the end of the input (Ctrl-D)?

    The first is a plain exit. The second is input()'s error, within the one that pyinfra makes of it; a connection may
    raise EOFError as well, but then not in a function of pyinfra's command line.
    """
    error = leaving.__context__ if leaving else None
    if not isinstance(error, EOFError):
        return isinstance(leaving, SystemExit)
    raised_in = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(raised_in[-1]).startswith("pyinfra_cli.")


def waits_for_nobody(said: Mapping[str, Any]) -> bool:
    """Would pyinfra's question meet a closed stdin, and end in a traceback?"""
    if not asks(said):
        return False
    try:
        kind = os.fstat(0)
    except OSError:
        return True
    return stat.S_ISCHR(kind.st_mode) and kind.st_rdev == Path(os.devnull).stat().st_rdev
