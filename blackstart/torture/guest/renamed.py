"""The world with other guids, wherever one stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar, cast

from blackstart.spec.types import Model

T = TypeVar("T")
_GUID = re.compile(r"\d{15,20}")


def renamed(thing: T, guids: Mapping[str, str]) -> T:
    """A copy of a world, or of a part of it, with `guids` (old -> new) in every text. Specs hold none."""
    return cast(T, _renamed(thing, guids))


def _renamed(thing: object, guids: Mapping[str, str]) -> object:
    if isinstance(thing, str):
        return _GUID.sub(lambda found: guids.get(found[0], found[0]), thing)
    if isinstance(thing, Model):
        return thing
    if is_dataclass(thing) and not isinstance(thing, type):
        return type(thing)(**{each.name: _renamed(getattr(thing, each.name), guids) for each in fields(thing)})
    if isinstance(thing, dict):
        return {_renamed(key, guids): _renamed(value, guids) for key, value in thing.items()}
    if isinstance(thing, list | set | tuple):
        return type(thing)(_renamed(each, guids) for each in thing)
    return thing
