"""Steps at which a program is killed on purpose, to show that the next run goes on: docs/kill-sweep.md.

Off unless BLACKSTART_FAILPOINT is in the program's own environment, and that only who starts it can say: sshd, sudo and
a request pass no such thing on. `kill@STEP` kills it there with SIGKILL, `stop@STEP` with SIGSTOP, so that somebody
else can pull the machine's plug meanwhile. STEP: a number (the third that is reached: 3; 0: none) or a name (the first
time it is reached). Each step that is reached is then told on stderr: `failpoint 3: restore.held`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

VARIABLE = "BLACKSTART_FAILPOINT"
ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

_turn = threading.Lock()
_reached = 0
_done = False


def is_on() -> bool:
    return VARIABLE in os.environ


def reach(name: str) -> None:
    """The program stands at this step: what comes before it is done, what comes after it is not.

    Raises SystemExit with a sentence where the variable says something else than the above.
    """
    asked = os.environ.get(VARIABLE)
    if asked is None:
        return
    action, at, step = asked.partition("@")
    if action not in ACTIONS or not at or not step:
        raise SystemExit(f"{VARIABLE}={asked}: write kill@STEP or stop@STEP, STEP a number or a name")
    global _reached, _done
    with _turn:  # one after the other: nobody gets past the step that is the last
        _reached += 1
        print(f"failpoint {_reached}: {name}", file=sys.stderr, flush=True)
        if step in (str(_reached), name) and not _done:
            _done = True
            os.kill(os.getpid(), ACTIONS[action])
