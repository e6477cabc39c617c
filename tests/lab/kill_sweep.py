"""Programs killed at their steps (blackstart/failpoint.py): which ones, and what a failure says to see it again."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence

SEED = int(os.environ.get("BLACKSTART_SEED") or 1)
FILES = {
    "restore": "tests/lab/test_kill_sweep.py",
    "power": "tests/lab/test_kill_sweep.py",
    "replicate": "tests/lab/test_kill_replicate.py",
    "may-break": "tests/lab/test_kill_signal.py",
    "will-break": "tests/lab/test_kill_signal.py",
    "site": "tests/lab/test_kill_deploys.py",
    "bootstrap": "tests/lab/test_kill_deploys.py",
}
OFTEN = 3  # how often a step of one name is killed at; how often it comes may depend on how fast the machine is
_TOLD = re.compile(r"^failpoint \d+: (.*?#\d+)\b", re.M)  # a line of the host may be joined to it


def steps_in(said: str) -> list[str]:
    """The steps that a program told of, in order."""
    return _TOLD.findall(said)


def seldom(steps: Sequence[str]) -> list[str]:
    """Each name OFTEN at the most."""
    return [step for step in steps if int(step.rpartition("#")[2]) <= OFTEN]


def chosen(program: str, steps: Sequence[str], count: int = 0) -> list[str]:
    """The steps to kill at: the one that BLACKSTART_KILL=PROGRAM@STEP asks for, or `count` by the seed, 0 for all."""
    asked, _, step = os.environ.get("BLACKSTART_KILL", "").partition("@")
    if asked:
        return [step] if asked == program else []
    if not count:
        return list(steps)
    numbers = random.Random(f"{SEED} {program}").sample(range(len(steps)), min(count, len(steps)))
    return [steps[number] for number in sorted(numbers)]


def again(program: str, step: str) -> str:
    """What a failure says."""
    line = f"BLACKSTART_KILL='{program}@{step}' pytest {FILES[program]}"
    return f"{program} killed at {step} (seed {SEED}); once more: {line}"
