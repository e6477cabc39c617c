"""A few words with a running QEMU over its unix socket."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import LabError


@contextmanager
def _connected(path: Path, timeout: float) -> Iterator[socket.socket]:
    # Through the folder's descriptor: the path of a unix socket may have 107 bytes, and folders are deeper than that.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
            yield connection
    finally:
        os.close(folder)


def execute(path: Path, command: str, timeout: float = 60, **arguments: object) -> Any:
    """Run one QMP command and return its answer."""
    try:
        with _connected(path, timeout) as connection, connection.makefile("rw") as stream:
            json.loads(stream.readline())  # the greeting
            _ask(stream, "qmp_capabilities", {})
            return _ask(stream, command, arguments)
    except OSError as problem:
        raise LabError(f"QEMU does not answer on {path}: {problem}") from problem


def _ask(stream: Any, command: str, arguments: dict[str, object]) -> Any:
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    while line := stream.readline():
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"QEMU refused {command}: {answer['error']['desc']}")
        if "return" in answer:  # anything else is an event
            return answer["return"]
    raise LabError(f"QEMU hung up during {command}")


def monitor(path: Path, line: str, timeout: float = 60) -> str:
    """Run one line of the human monitor; it answers only when it has something to complain about."""
    answer = execute(path, "human-monitor-command", timeout, **{"command-line": line})
    if str(answer).strip():
        raise LabError(f"QEMU refused {line!r}: {str(answer).strip()}")
    return str(answer)
