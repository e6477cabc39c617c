"""One pydantic error -> one sentence: what was found, what was expected, the nearest valid key."""

from __future__ import annotations

import contextlib
import re
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from blackstart.spec.problem import Key, Problem, did_you_mean, show_key
from blackstart.spec.types import format_duration, format_size, parse_duration, parse_size

# Never shown, even where it is wrong: it may be the secret itself, written where a reference belongs.
_SECRET = re.compile(r"key$|secret|password|token", re.IGNORECASE)
_PUBLIC = {"host_key", "keys"}

_EXPECTED = {
    "string_type": "a string in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list in [ ]",
    "list_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_LIMITS = ("greater_than_equal", "greater_than", "less_than_equal")


def explain(error: Mapping[str, Any], model: type[BaseModel], data: Any) -> Problem:
    """The problem without file and line; `model` and `data` are what was validated."""
    key = _written_key(tuple(error["loc"]), data)
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        valid = sorted(_keys_of(_type_at(model, key[:-1])))
        if len(key) > 1 and key[-1] in _keys_of(model):
            return Problem("", key, "unknown key here; it belongs at the top of the file, above the first [table]")
        return Problem("", key, f"unknown key; {did_you_mean(str(key[-1]), valid, 'valid key')}")
    if kind == "missing":
        return Problem("", key[:-1], f"{str(key[-1])!r} is missing")
    if kind == "value_error":
        said = str(context["error"])
        if _secret(key):
            said = said.replace(repr(found), "the value (not shown)")
        return Problem("", key, said)
    if kind in _LIMITS and (spell := _spelling(found)):
        # The bound is in seconds or bytes, which nobody writes.
        context = {name: repr(spell(bound)) for name, bound in context.items()}
    expected = _EXPECTED.get(kind) or _expectation(kind, context, str(error["msg"]))
    if kind in ("tuple_type", "list_type") and isinstance(found, dict):
        expected += f", or [[{show_key(key)}]] instead of [{show_key(key)}]"
    text = f"found {_shown(found, key)}, expected {expected}"
    if kind == "literal_error" and isinstance(found, str):
        words = re.findall(r"'([^']*)'", str(context["expected"]))
        near = did_you_mean(found, words, "word")
        text += f"; {near}" if near.startswith("did") else ""
    return Problem("", key, text)


def _spelling(found: Any) -> Callable[[int], str] | None:
    """How a bound is written of what a file says as `found`: with its unit, where that has one."""
    if not isinstance(found, str):
        return None
    for parse, spell in ((parse_duration, format_duration), (parse_size, format_size)):
        with contextlib.suppress(ValueError):
            parse(found)
            return spell
    return None


def _expectation(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    bounds = {
        "greater_than_equal": ("ge", "{} or more"),
        "greater_than": ("gt", "more than {}"),
        "less_than_equal": ("le", "{} or less"),
        "too_short": ("min_length", "at least {}"),
        "too_long": ("max_length", "at most {}"),
        "string_pattern_mismatch": ("pattern", "text of the form {}"),
    }
    if kind in bounds:
        name, form = bounds[kind]
        return form.format(context[name])
    return message[:1].lower() + message[1:]


def _shown(found: Any, key: Key) -> str:
    if _secret(key):
        return "a value (not shown)"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, dict):
        return "a table" if found else "nothing"
    if isinstance(found, list | tuple):
        return f"a list of {len(found)}" if found else "an empty list"
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."


def _secret(key: Key) -> bool:
    names = [part for part in key if isinstance(part, str)]
    return bool(names) and names[-1] not in _PUBLIC and bool(_SECRET.search(names[-1]))


def _written_key(loc: tuple[str | int, ...], data: Any) -> Key:
    """The path as it is written: without pydantic's own "[key]" marks, names as strings."""
    return tuple(part for part in loc if part != "[key]")


def _type_at(model: Any, key: Key) -> Any:
    """The declared type of what stands at `key`, None where the path leaves the models."""
    here: Any = model
    for part in key:
        here = _strip(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = next((f.annotation for n, f in here.model_fields.items() if part in (n, f.alias)), None)
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        elif get_origin(here) in (tuple, list):
            here = get_args(here)[0]
        else:
            return None
    return _strip(here)


def _strip(annotation: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [each for each in get_args(annotation) if each is not type(None)]
        return _strip(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _keys_of(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []
