"""Asks root's program for what takes root, over one connection that lasts as long as the drill."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from types import TracebackType
from typing import Any

SOCKET = "/run/blackstart-drill-root.sock"
PATIENCE = 60  # seconds


class HelperError(Exception):
    """It refused, or it failed; one clause."""


class Lost(HelperError):
    """It does not answer any more."""


class Helper:
    """A context manager: what was started and mounted ends with it, whatever happens to either side."""

    def __init__(self, node: str, path: str = SOCKET, patience: float = PATIENCE) -> None:
        """There is one drill at a time: what a killed one left is waited for. Raises HelperError."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self._connect(path)
                self("open", node)
                return
            except Lost:
                self._end()
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _connect(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError as error:
            raise Lost(f"{path}: {error.strerror}; next: systemctl status blackstart-drill-root.socket") from error
        self._file = self._socket.makefile("rw", encoding="utf-8")

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        """The file keeps the connection open beyond the socket's own close."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __call__(self, verb: str, *words: object) -> Any:
        """What came of it. Raises HelperError."""
        try:
            print(json.dumps({"verb": verb, "words": words}), file=self._file, flush=True)
            line = self._file.readline()
            if not line:
                raise Lost("root's program ended; next: journalctl -n 50 -u 'blackstart-drill-root@*'")
            answer = json.loads(line)
        except (OSError, ValueError) as error:
            raise Lost(f"root's program: {error}") from error
        if "error" in answer:
            raise HelperError(str(answer["error"]))
        return answer.get("value")
