"""Random losses of whole machines, as `blackstart lab torture` plays them in every tenth round."""

from __future__ import annotations

import os

import pytest

from blackstart.drill.stage import Stage
from blackstart.torture.guest.many import WHOLE
from blackstart.torture.text import as_text
from blackstart.torture.whole.round import play

pytestmark = pytest.mark.slow

FIRST, ROUNDS = int(os.environ.get("BLACKSTART_SEED") or 60), 4


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS * WHOLE, WHOLE))
def test_a_random_loss(stage: Stage, seed: int) -> None:
    played = play(stage, seed)
    print(as_text(played), played.first)
    assert not played.wrong, as_text(played)
