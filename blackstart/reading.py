"""One value of live state: present, absent, or unknown with the reason. Never two of these folded into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Present(Generic[T]):
    """It was read, and this is its value."""

    value: T


@dataclass(frozen=True, slots=True)
class Absent:
    """It was looked for by something able to see it, and it is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be read. `why` is one clause for a person: no tool, no permission, timeout, unparsable."""

    why: str


Reading = Present[T] | Absent | Unknown

ABSENT = Absent()
NOT_ASKED = Unknown("not asked for")  # a part of a reading that only some who read want


def map_reading(reading: Reading[T], function: Callable[[T], U]) -> Reading[U]:
    """Apply `function` to a present value; absent and unknown pass through untouched."""
    if isinstance(reading, Present):
        return Present(function(reading.value))
    return reading
