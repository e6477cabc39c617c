"""JSON that no program of ours writes is refused where it is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart import strict


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "-Infinity", "1e999", "-1e999", "9" * 30, "-" + "9" * 30, "9" * 5000, str(2**64)),
        *("[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101, "[" * 100_000, "[" * 100_000 + "]" * 100_000),
        *("", "{", b"\xff\xfe", b"\0" * 9, "\ufeff{}"),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_it_is_refused_in_one_way(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        strict.loads(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**64) + 1, 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_all_else_is_what_python_makes_of_it(value: object) -> None:
    assert strict.loads(json.dumps(value)) == value


def test_a_hundred_levels_are_taken() -> None:
    assert strict.loads("[" * 100 + "]" * 100) == json.loads("[" * 100 + "]" * 100)
