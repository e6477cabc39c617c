"""Play a drill of one node on this vault: `python3 -m blackstart.isolated NODE`, as bs-drill, in a unit of its own.

Asked for by a person (asked.json), it is played at once; by the timer, when it is due. Exit codes: 0 it passed, 1 it
could not be played, 2 it failed, 3 not all could be looked at.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blackstart.isolated import kept
from blackstart.isolated.config import Config, load, path
from blackstart.isolated.page import page
from blackstart.isolated.plan import wait
from blackstart.isolated.result import Result
from blackstart.isolated.run import Drill, Stopped
from blackstart.vault import layout
from blackstart.vault.lock import describe, holder
from blackstart.vault.store import mounted

CODES = {"passed": 0, "failed": 2, "incomplete": 3}
TIMER = "the timer"


class Busy(Exception):
    """Another drill is played on this vault; who has begun it, and when."""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python3 -m blackstart.isolated NODE", file=sys.stderr)
        return 1
    node = arguments[0]
    try:
        mounted()
        config = load(path(node).read_text(encoding="utf-8"))
        folder = Path(layout.drill_folder(node))
        asked = kept.asked(folder)
        if asked is None and (pause := _pause(config, folder)):
            print(f"{node}: the next drill is due in {pause} s; to play one now: blackstart drill {node}")
            return 0
        by = asked["by"] if asked else TIMER
        with alone(Path(layout.home(layout.DRILL)) / "lock", by, f"drill of {node}", patient=asked is None):
            return play(config, folder, by, asked["named"] if asked else "")
    except Busy as error:
        print(f"{node}: another drill is played on this vault: {error}; wait for its end", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"{node}: the drill could not be played: {error}", file=sys.stderr)
    return 1


def _pause(config: Config, folder: Path) -> int:
    before = kept.last(folder)
    return wait(config.every, (before.at, before.verdict != "failed") if before else None, int(time.time()))


def play(config: Config, folder: Path, by: str, named: str) -> int:
    """One drill and its result. Raises OSError where that cannot be kept."""
    signal.signal(signal.SIGTERM, _stopped)
    identity = secrets.token_hex(8)
    made = Result(
        id=identity,
        node=config.node,
        vault=config.vault,
        by=by,
        at=int(time.time()),
        named=named,
        seed=int(identity[:7], 16),
        spec=config.spec,
        every=config.every,
        allowed=config.rpo,
    )
    Drill(config, folder, made, lambda line: print(line, flush=True)).run()
    kept.keep(folder, made, page(made))
    print(f"{config.node}: {made.verdict}")
    for why in made.why:
        print(f"  {why}")
    return CODES[made.verdict]


def _stopped(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows is clearing up
    raise Stopped("it was stopped before its end")


@contextmanager
def alone(lock: Path, who: str, what: str, patient: bool) -> Iterator[None]:
    """One drill at a time on a vault: memory is short. Raises Busy, unless `patient`; OSError."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise Busy(describe(file.read())) from error
        file.seek(0)
        file.truncate()
        file.write(holder(who, "", what, int(time.time()), "") + "\n")
        file.flush()
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
