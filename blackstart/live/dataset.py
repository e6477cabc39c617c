"""File systems and volumes of all pools, with the properties asked for and where each value comes from."""

from __future__ import annotations

import re

from blackstart.live.frame import total
from blackstart.live.model import DatasetLive, Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading

BASE = (
    "type",
    "guid",
    "used",
    "available",
    "mounted",
    "mountpoint",
    "canmount",
    "readonly",
    "quota",
    "reservation",
    "origin",
    "encryption",
    "encryptionroot",
    "keystatus",
    "receive_resume_token",
)
_SOURCE = re.compile(r"local|default|temporary|received|none|-|inherited from \S.*")


def asked(query: Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Native properties and user properties (those with a colon), in the order they are fetched, each once."""
    every = tuple(dict.fromkeys((*BASE, *query.properties)))
    return tuple(name for name in every if ":" not in name), tuple(name for name in every if ":" in name)


def section(query: Query) -> str:
    native, user = asked(query)
    get = "zfs get -Hp -r -t filesystem,volume -o name,property,value,source"
    lines = ["zfs_ready || return 1", f"printf '%s\\n' {words((','.join(native),))}"]
    lines += [f"{get} {words((','.join(native),))} || return"]
    if user:
        lines += [f"printf '\\0%s\\n' {words((','.join(user),))}", f"exec {get} {words((','.join(user),))}"]
    return "\n".join(lines) + "\n"


@total
def parse(text: str) -> Reading[dict[str, DatasetLive]]:
    """The native properties' names, `zfs get` lines; then, after NUL, the same of user properties.

    A user property may hold tabs and newlines, and so a line that looks like another record. Native ones are asked
    apart, so that they say which datasets there are; a user property that could be read in two ways makes the
    section unknown.
    """
    native, _, user = text.partition("\0")
    properties = _native(native)
    if user:
        for dataset, prop, value, source in _user(user, set(properties)):
            properties[dataset][prop] = (value, source)
    datasets = {}
    for name, found in properties.items():
        if not found["guid"][0].isdigit():
            raise ValueError(f"dataset {name} has no guid")
        datasets[name] = DatasetLive(name, found["guid"][0], found["type"][0], found)
    return Present(datasets)


def _native(text: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Dataset -> property -> (value, source). Raises ValueError unless every dataset has all of them, in order."""
    head, _, body = text.partition("\n")
    names = head.split(",")
    found: dict[str, dict[str, tuple[str, str]]] = {}
    lines = body.removesuffix("\n").split("\n") if body else []
    for position, line in enumerate(lines):
        step = position % len(names)
        dataset, prop, rest = line.split("\t", 2)
        if prop != names[step] or (dataset in found) != (step > 0):
            raise ValueError(f"{line[:60]!r} where {names[step]} was to come")
        found.setdefault(dataset, {})[prop] = _value(rest)
    if len(lines) % len(names):
        raise ValueError("the last dataset lacks properties")
    return found


def _user(text: str, datasets: set[str]) -> list[tuple[str, str, str, str]]:
    """(dataset, property, value, source), the lines of one value joined."""
    head, _, body = text.partition("\n")
    wanted = {(dataset, prop) for dataset in datasets for prop in head.split(",")}
    raw: list[list[str]] = []  # dataset, property, rest
    for line in body.removesuffix("\n").split("\n") if body else []:
        parts = line.split("\t", 2)
        if len(parts) == 3 and (parts[0], parts[1]) in wanted:
            raw.append(parts)
        elif raw:
            raw[-1][2] += "\n" + line
        else:
            raise ValueError(f"{line[:60]!r} belongs to no dataset")
    if len(raw) != len(wanted) or {(dataset, prop) for dataset, prop, _ in raw} != wanted:
        raise ValueError("a user property holds what looks like another one, or is missing")
    return [(dataset, prop, *_value(rest)) for dataset, prop, rest in raw]


def _value(rest: str) -> tuple[str, str]:
    value, tab, source = rest.rpartition("\t")
    if not tab or not _SOURCE.fullmatch(source):
        raise ValueError(f"{rest[:60]!r} has no source")
    return value, source
