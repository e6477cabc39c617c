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

CTRL_C = "\x03"
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
    raw, said, left, seen = b"", "", list(answers), 0
    deadline = time.monotonic() + seconds
    try:
        while True:
            assert time.monotonic() < deadline, f"not at its end after {seconds:g} s:\n{said}"
            if left and callable(left[0][0]) and left[0][0]():
                os.write(ours, left.pop(0)[1].encode())
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                raw += os.read(ours, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                break
            said = _COLOURS.sub("", raw.decode(errors="replace")).replace("\r\n", "\n")
            while left and isinstance(text := left[0][0], str) and text in said[seen:]:
                seen = said.index(text, seen) + len(text)
                os.write(ours, left.pop(0)[1].encode())
    finally:
        if running.poll() is None and time.monotonic() >= deadline:
            os.killpg(running.pid, 9)
        os.close(ours)
    code = running.wait(60)
    assert not left, f"it never came to {left[0][0]!r}:\n{said}"
    return code, said


def _at_a_terminal() -> None:
    """Its own terminal; and Ctrl-C counts, although the tests may be a background job in which it is ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
