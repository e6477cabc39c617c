"""Somebody at a terminal of 80 columns: a command is run on one, questions are answered, Ctrl-C is pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CTRL_C, CTRL_D = "\x03", "\x04"
ENTER = "\n"
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def typed(
    words: Sequence[str],
    answers: Sequence[tuple[str | Callable[[], bool], str]],
    cwd: Path,
    env: Mapping[str, str],
    seconds: float = 60,
) -> tuple[int, str]:
    """Run `words`; each of `answers` (a text or a moment to wait for, what is typed then) in its order.

    Exit code and output, without colours.

    Raises AssertionError, and ends the command, when it did not end in time.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    running = subprocess.Popen(
        words,
        cwd=cwd,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_at_a_terminal,
    )
    os.close(theirs)
    raw, left, seen = b"", list(answers), 0
    deadline = time.monotonic() + seconds
    try:
        while True:
            said = _COLOURS.sub("", raw.decode(errors="replace")).replace("\r\n", "\n")
            assert time.monotonic() < deadline, f"not at its end after {seconds:g} s:\n{said}"
            if left and _is_time(left[0][0], said[seen:]) and _sleeps(running.pid):
                seen = len(said)
                os.write(ours, left.pop(0)[1].encode())
            if select.select([ours], [], [], 0.1)[0]:
                raw += os.read(ours, 65536)
    except OSError:  # EIO: nobody has the terminal open any more
        pass
    finally:
        if running.poll() is None and time.monotonic() >= deadline:
            os.killpg(running.pid, 9)
        os.close(ours)
    code = running.wait(60)
    assert not left, f"it never came to {left[0][0]!r}:\n{said}"
    return code, said


def _is_time(moment: str | Callable[[], bool], said: str) -> bool:
    return moment in said if isinstance(moment, str) else moment()


def _sleeps(pid: int) -> bool:
    """Ctrl-C between a question and the wait for its answer would be noticed with the next key only."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def _at_a_terminal() -> None:
    """Its own terminal; and Ctrl-C counts, although the tests may be a background job in which it is ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
