"""Processes that the lab started, and no others."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path


def command_line(pid: int) -> list[str]:
    """The words of a running process; empty when there is none, or only its zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def owned(pid: int, folder: Path) -> bool:
    """Does this process carry the lab's folder on its command line? A recycled pid does not."""
    return any(f"{folder}/" in word for word in command_line(pid))


def running(pidfile: Path, folder: Path) -> int | None:
    """The pid in `pidfile`, if that process runs and is the lab's."""
    try:
        pid = int(pidfile.read_text())
    except (OSError, ValueError):
        return None
    return pid if owned(pid, folder) else None


def kill(pid: int, folder: Path, with_signal: int = signal.SIGKILL, timeout: float = 60) -> None:
    """Signal one process of the lab and wait (seconds) until it is gone, its ports and files with it.

    A pidfd tells when the last thread has left; /proc/PID/cmdline is empty long before the ports are free again.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if owned(pid, folder):
            signal.pidfd_send_signal(handle, with_signal)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(timeout * 1000)
    finally:
        os.close(handle)


def strays(folder: Path, programs: tuple[str, ...]) -> list[int]:
    """Processes of the lab that no pidfile knows any more (a start that was cut short)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            pid = int(entry.name)
            words = command_line(pid)
            if words and Path(words[0]).name in programs and owned(pid, folder):
                found.append(pid)
    return found
