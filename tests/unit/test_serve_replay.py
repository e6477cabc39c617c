"""What is the next heartbeat of a node, and what was sent before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.serve.replay import BOOTS, Last, follow

A, B = "a" * 36, "b" * 36
LAST = Last(7, A, 700.0, 2)


def beat(sequence: int, boot: str | None = A, uptime: float | None = 760.0, epoch: int | None = 2) -> Last:
    return Last(sequence, boot, uptime, epoch)


@pytest.mark.parametrize(
    "new",
    [
        beat(8),
        beat(90),
        beat(8, B, 3.0),
        beat(1, B, 3.0),
        beat(1, B, 3.0, 3),
        beat(1),  # the node lost its last heartbeat
        beat(8, None),
        beat(8, uptime=None),
        beat(8, epoch=None),
    ],
)
def test_the_next_one_is_taken(new: Last) -> None:
    assert follow(LAST, new).sequence == new.sequence


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (beat(7, uptime=700.0), "sequence 7 is not after 7"),
        (beat(7), "sequence 7 is not after 7"),
        (beat(6, uptime=640.0), "sequence 6 is not after 7"),
        (beat(8, uptime=640.0), "sequence 8 is not after 7"),
        (beat(6, None), "sequence 6 is not after 7"),
        (beat(6, uptime=None), "sequence 6 is not after 7"),
        (beat(8, epoch=1), "epoch 1 is over, the node's is 2 by now"),
    ],
)
def test_what_was_sent_before_is_not(new: Last, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        follow(LAST, new)


def test_a_boot_that_is_over_does_not_come_back() -> None:
    rebooted = follow(LAST, beat(1, B, 3.0))
    with pytest.raises(ValueError, match="a boot that is over"):
        follow(rebooted, beat(99, A, 9999.0))


def test_what_is_remembered_of_boots_is_bounded() -> None:
    state = follow(None, beat(1))
    for number in range(3 * BOOTS):
        state = follow(state, beat(1, f"{number:036d}", 1.0))
    assert len(state.boots) == BOOTS


def test_an_epoch_that_could_not_be_read_forgets_none() -> None:
    after = follow(LAST, beat(8, epoch=None))
    with pytest.raises(ValueError, match="epoch 1 is over"):
        follow(after, beat(9, uptime=820.0, epoch=1))


_beats = st.builds(
    Last, st.integers(1, 9), st.sampled_from([A, B, None]), st.none() | st.floats(0, 9), st.none() | st.integers(0, 3)
)


@given(st.lists(_beats, max_size=12))
def test_nothing_is_taken_twice(beats: list[Last]) -> None:
    state: Last | None = None
    for each in beats:
        try:
            state = follow(state, each)
        except ValueError:
            continue
        with pytest.raises(ValueError):
            follow(state, each)
