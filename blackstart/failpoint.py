"""Steps at which a program is killed on purpose, to show that the next run goes on: docs/lab.md.

Off unless BLACKSTART_FAILPOINT is in the program's own environment, and that only who starts it can say: sshd, sudo and
a request pass no such thing on. `kill@STEP` kills it there with SIGKILL, `stop@STEP` with SIGSTOP, so that somebody
else can pull the machine's plug meanwhile. STEP: NAME#3 (the third time that one of this name is reached), NAME (the
first), or a number alone (the step of all; 0: none). Each step that is reached is then told on stderr:
`failpoint 3: restore.held#1`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter

VARIABLE = "BLACKSTART_FAILPOINT"
ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

_turn = threading.Lock()
_reached: Counter[str] = Counter()


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
        raise SystemExit(f"{VARIABLE}={asked}: write kill@STEP or stop@STEP, STEP a name, NAME#N, or a number")
    with _turn:  # one after the other: nobody gets past the step that is the last
        _reached[name] += 1
        label, number = f"{name}#{_reached[name]}", _reached.total()
        print(f"failpoint {number}: {label}", file=sys.stderr, flush=True)
        if step in (label, str(number)) or f"{step}#1" == label:
            os.kill(os.getpid(), ACTIONS[action])
