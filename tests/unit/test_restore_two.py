"""Two operators at once: the second begins at seeded random moments of the first one's run."""

from __future__ import annotations

import random
import threading
import time

import pytest
from restore_world import Run, run

from blackstart.vault.restore_lock import Busy, held

__all__ = ["run"]

SLOW = 0.05  # seconds for each stream and each step of the first run


def operator(run: Run, name: str) -> int | str:
    """Exit code, or the sentence with which it was turned away."""
    try:
        with held(run.store.folder, name, "restore to epoch 2"):
            return run()
    except Busy as busy:
        return str(busy)


@pytest.mark.parametrize("seed", range(8))
def test_the_second_is_turned_away_or_finds_all_of_it_done(run: Run, seed: int) -> None:
    for item in run.plan.items:
        for word in (f"send {item.dataset}", f"step {item.step}"):
            run.node.slow[word] = lambda: time.sleep(SLOW)
    first: list[int | str] = []
    running = threading.Thread(target=lambda: first.append(operator(run, "first@laptop")))
    running.start()
    time.sleep(random.Random(seed).uniform(0, 2 * SLOW * len(run.plan.items) * 1.5))
    second = operator(run, "second@desk")
    running.join()
    results = [*first, second]
    assert 0 in results
    for said in results:
        if said != 0:
            other = "second@desk" if said == first[0] else "first@laptop"
            assert isinstance(said, str) and "somebody else works on this node" in said and other in said
    for item in run.plan.items:
        assert run.did.count(f"send {item.dataset}") == 1
    known = run.store.read()
    assert known and known.epoch == 2 and known.rebuild is None
