"""Fresh, late, silent: never dead."""

from __future__ import annotations

import pytest

from blackstart.status.heard import AHEAD, heard


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (0, "fresh"),
        (90, "fresh"),
        (90.5, "late"),
        (270, "late"),
        (270.5, "silent"),
        (10**9, "silent"),
        (-AHEAD, "fresh"),  # clocks are set by a little all the time
        (-AHEAD - 1, "unknown"),
    ],
)
def test_age_decides(age: float, state: str) -> None:
    assert heard(2_000_000_000 - age, 2_000_000_000, period=60, grace=30) == state


def test_a_node_that_never_spoke_is_unknown() -> None:
    assert heard(None, 2_000_000_000, period=60, grace=30) == "unknown"
