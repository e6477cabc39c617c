"""One value in a TOML text, with every comment and the order of everything else kept. Pure."""

from __future__ import annotations

import contextlib
import tomllib
from typing import Any

import tomlkit

from blackstart.spec.problem import Key


def edited(text: str, key: Key, value: str | bool | None) -> str:
    """The text with `key` at that value; None takes it out. Tables on the way are made.

    Raises ValueError where something else than a table stands on the way.
    """
    document = tomlkit.parse(text)
    here: Any = document
    for part in key[:-1]:
        if part not in here:
            if value is None:
                return text
            # One line where it can be: the file stays as short as a person would write it.
            here[part] = tomlkit.table() if here is document else tomlkit.inline_table()
        here = here[part]
        if not hasattr(here, "keys"):
            raise ValueError(f"{part} is no table")
    if value is None:
        here.pop(key[-1], None)
    else:
        here[key[-1]] = _item(value)
    return tomlkit.dumps(document)


def _item(value: str | bool) -> Any:
    """Text of several lines as a person would write it, where TOML reads that back as the same."""
    if isinstance(value, str) and value.count("\n") > 1:
        written = f'value = """\n{value}"""'
        with contextlib.suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(written)["value"] == value:
                return tomlkit.parse(written)["value"]
    return tomlkit.item(value)
