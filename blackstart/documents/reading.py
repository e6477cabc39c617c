"""The JSON Schema of a reading, from the very types that `blackstart.live.codec` writes and reads it by."""

from __future__ import annotations

from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from blackstart.live.codec import FORMAT
from blackstart.live.model import Live
from blackstart.reading import Present

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Any: {},
}


def schema() -> dict[str, Any]:
    """Of the whole document."""
    made = _table(get_type_hints(Live))
    return made | {
        "properties": {"format": {"const": FORMAT}} | made["properties"],
        "required": ["format", *get_type_hints(Live)],
    }


def _table(hints: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _of(hint) for name, hint in hints.items()}
    return {"type": "object", "properties": properties, "required": [*hints], "additionalProperties": False}


def _of(hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _of(arguments[0])}
    if origin is tuple:
        count = len(arguments)
        return {"type": "array", "prefixItems": [_of(each) for each in arguments], "minItems": count, "maxItems": count}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1])}
    return _table(get_type_hints(hint)) if is_dataclass(hint) else _PLAIN[hint]


def _union(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """A reading, or `X | None`."""
    if NoneType in arguments:
        return {"anyOf": [*(_of(each) for each in arguments if each is not NoneType), {"type": "null"}]}
    (inner,) = get_args(next(each for each in arguments if get_origin(each) is Present))
    states = {"present": {"value": _of(inner)}, "absent": {}, "unknown": {"why": _PLAIN[str]}}
    return {"oneOf": [_state(name, more) for name, more in states.items()]}


def _state(name: str, more: dict[str, Any]) -> dict[str, Any]:
    properties = {"state": {"const": name}} | more
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
