"""Root's program of a drill: `python3 -m blackstart.isolated.root`, behind a socket that bs-drill alone may open.

One connection is one drill: a line of JSON in, one out, with one of the verbs (verbs.py). `forget` on the command line
unloads what keys a drill had loaded, whatever became of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from blackstart.isolated import keys
from blackstart.isolated.verbs import Refused, Root
from blackstart.vault.zfs import CommandError


def serve(root: Root, lines: Iterable[str], answers: TextIO) -> None:
    """Until the connection ends: {"verb": ..., "words": [...]} -> {"value": ...}, or {"error": why}."""
    try:
        for line in lines:
            print(json.dumps(_answer(root, line)), file=answers, flush=True)
    finally:
        with contextlib.suppress(CommandError, OSError):
            root.close()


def _answer(root: Root, line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        verb = root.verbs.get(asked["verb"])
        if verb is None:
            raise Refused("no such verb")
        return {"value": verb(*asked["words"])}
    except Refused as error:
        return {"error": f"refused: {error}"}
    except (CommandError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return {"error": str(error) or type(error).__name__}


class Lines:
    """Lines as they come. When no more can come while one is still being worked on, all of it ends at once.

    The drill was killed: the kernel kills its containers with this process, systemd what else it has started.
    """

    def __init__(self, file: TextIO, end: Callable[[int], object] = os._exit) -> None:
        self._file, self._end = file, end
        self._come: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._idle = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._file:
            self._come.put(line)
        if not self._idle.is_set():
            self._end(1)
        self._come.put("")

    def __iter__(self) -> Iterator[str]:
        while True:
            self._idle.set()
            line = self._come.get()
            self._idle.clear()
            if not line:
                return
            yield line


def main(arguments: list[str]) -> int:
    os.umask(0o022)
    if arguments == ["forget"]:  # whatever became of the drill
        keys.forget()
        return 0
    serve(Root(), Lines(sys.stdin), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
