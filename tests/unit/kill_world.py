"""A program killed with SIGKILL at one step after the other, each time over a world of its own that outlives it."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator

from blackstart import failpoint


def life(work: Callable[[], object], asked: str) -> tuple[bool, list[str]]:
    """`work` in a process of its own with this failpoint. Whether it came to its end; the steps that it reached."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            sys.stderr = said
            os.environ[failpoint.VARIABLE] = asked
            try:
                work()
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        text = said.read()
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, text
    return os.WIFEXITED(status), re.findall(r"^failpoint \d+: (.*)#\d+$", text, re.M)


def sweep(world: Callable[[int], Callable[[], object]]) -> Iterator[str]:
    """Kill at k = 1, 2, ... until a run comes to its end; after each kill the step's name, for the caller to judge.

    `world`: makes the world number k anew, and what works in it.
    """
    k, ended = 0, False
    while not ended:
        k += 1
        ended, reached = life(world(k), f"kill@{k}")
        if not ended:
            assert len(reached) == k
            yield f"step {k}, {reached[-1]}"
