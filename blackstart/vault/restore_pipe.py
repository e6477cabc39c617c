"""A zfs send on this vault, poured into a receiver: both ends run to their end, and what each had to say is kept."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

_BROKEN_PIPE = "Broken pipe"


@dataclass(frozen=True, slots=True)
class Ended:
    """How both ends came out. `sent`, `received`: exit statuses; `answer`: the receiver's stderr."""

    sent: int
    said: tuple[str, ...]  # the sender's stderr, without its progress
    received: int
    answer: str

    def cause(self, receiver: str) -> str:
        """Why it failed, one clause; "" when both ends are content. `receiver`: whose words `answer` is.

        A sender that failed by itself is the cause, and what the receiver says of a short stream the consequence. A
        sender that only found nobody listening any more knows nothing: then the receiver has the word.
        """
        own = [line for line in self.said if _BROKEN_PIPE not in line]
        if self.sent and own:
            return f"zfs send: {own[-1]}"
        if self.received:
            return f"{receiver}: {last(self.answer) or f'receive ended with status {self.received}'}"
        return f"zfs send ended with status {self.sent}" if self.sent else ""


def pour(
    send: Sequence[str], receive: Sequence[str], progress: Callable[[int], None], environment: Mapping[str, str]
) -> Ended:
    """Run `send | receive` until both have ended. `progress` gets the bytes sent so far, once a second."""
    with subprocess.Popen(send, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as sender:
        assert sender.stdout is not None and sender.stderr is not None
        _widen(sender.stdout)
        with subprocess.Popen(
            receive, stdin=sender.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        ) as receiver:
            sender.stdout.close()  # the receiver's alone: when it dies, the sender must notice
            said: list[str] = []
            reader = threading.Thread(target=_follow, args=(sender.stderr, said, progress), daemon=True)
            reader.start()
            assert receiver.stderr is not None
            answer = receiver.stderr.read().decode(errors="replace")
            received = receiver.wait()
            reader.join()
            return Ended(sender.wait(), tuple(said), received, answer)


def send_command(snapshot: str = "", token: str = "") -> list[str]:
    """Raw: an encrypted dataset needs no key here, a plain one goes as it lies on the disk. Never properties."""
    return ["zfs", "send", "-vP", "-w", snapshot] if snapshot else ["zfs", "send", "-vP", "-t", token]


def last(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _widen(pipe: IO[bytes]) -> None:
    """A megabyte between sender and ssh instead of 64 KiB: fewer switches between the two. Where it is allowed."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)


def _follow(errors: IO[bytes], said: list[str], progress: Callable[[int], None]) -> None:
    """`zfs send -vP` on stderr: once a second `HH:MM:SS <tab> bytes <tab> name`; the rest is what it has to say."""
    for raw in errors:
        line = raw.decode(errors="replace").strip()
        words = line.split()
        if len(words) >= 3 and words[0].count(":") == 2 and words[1].isdigit():
            progress(int(words[1]))
        elif words and words[0] not in ("full", "incremental", "size", "resume", "nvlist") and "=" not in words[:2]:
            said.append(line)
