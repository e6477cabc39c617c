"""Live to JSON and back. The format is documented in docs/reading.md."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from blackstart.live.model import Live
from blackstart.reading import ABSENT, Absent, Present, Unknown

FORMAT = 1


def live_to_json(live: Live) -> dict[str, Any]:
    """A JSON-friendly dict: `{"format": 1, FIELD: {"state": "present", "value": ...}, ...}`."""
    return {"format": FORMAT} | {each.name: _encode(getattr(live, each.name)) for each in fields(live)}


def live_from_json(data: Any) -> Live:
    """What `live_to_json` made. Raises ValueError with one clause when it is not a reading this version reads."""
    try:
        if data["format"] != FORMAT:
            raise ValueError(f"reading format {data['format']!r}, this version reads {FORMAT}")
        hints = get_type_hints(Live)
        # What an older version did not read yet has a default, and is no reason to refuse all else.
        later = {each.name for each in fields(Live) if each.default is not MISSING} - set(data)
        return Live(**{name: _decode(data[name], hint) for name, hint in hints.items() if name not in later})
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a reading: {error!r}") from error


def _encode(value: Any) -> Any:
    if isinstance(value, Present):
        return {"state": "present", "value": _encode(value.value)}
    if isinstance(value, Absent):
        return {"state": "absent"}
    if isinstance(value, Unknown):
        return {"state": "unknown", "why": value.why}
    if is_dataclass(value):
        return {each.name: _encode(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    return value


def _decode(data: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _decode_union(data, arguments)
    if origin is tuple:
        if not isinstance(data, list):
            raise TypeError(f"{data!r} is no list")
        if arguments[-1] is Ellipsis:
            return tuple(_decode(item, arguments[0]) for item in data)
        return tuple(_decode(item, each) for item, each in zip(data, arguments, strict=True))
    if origin is dict:
        return {key: _decode(item, arguments[1]) for key, item in data.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _decode(data[name], each) for name, each in hints.items()})
    if hint is float and type(data) is int:
        return float(data)
    if hint is not Any and type(data) is not hint:
        raise TypeError(f"{data!r} where {hint.__name__} was to be")
    return data


def _decode_union(data: Any, arguments: tuple[Any, ...]) -> Any:
    """A reading, or `X | None`."""
    if NoneType in arguments:
        other = next(each for each in arguments if each is not NoneType)
        return None if data is None else _decode(data, other)
    if data["state"] == "present":
        (inner,) = get_args(next(each for each in arguments if get_origin(each) is Present))
        return Present(_decode(data["value"], inner))
    if data["state"] == "absent":
        return ABSENT
    if data["state"] == "unknown" and isinstance(data["why"], str):
        return Unknown(data["why"])
    raise ValueError(f"state {data['state']!r} is none of present, absent, unknown")
