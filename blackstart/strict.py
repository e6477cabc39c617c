"""JSON from a file that somebody else wrote: what no program of ours writes is refused where it is read.

Python takes Infinity, 1e999, integers of any length and lists in lists for ever. Each of them stops whoever rounds,
shows or walks through it later on.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEEPEST = 100  # lists and objects in each other
_LARGEST = 2**64  # of whole numbers: ZFS has none beyond


def loads(text: str | bytes) -> Any:
    """Raises ValueError with one clause, whatever it is that was given."""
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_short)
    except RecursionError:
        raise ValueError("it is no JSON: too deep") from None
    if _is_deep(found):
        raise ValueError("it is no JSON: too deep")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"it is no JSON: {text}")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text[:20])


def _short(text: str) -> int:
    # Looked at before it is understood: that takes long for a long one, and Python has a limit of its own.
    number = int(text) if len(text) <= 21 else _LARGEST
    return number if abs(number) < _LARGEST else _no_number(text[:20])


def _is_deep(found: Any) -> bool:
    level = [found]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    """Of a list or an object, those that are one again."""
    every = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in every if isinstance(each, dict | list)]
