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


def asked(query: Query) -> tuple[str, ...]:
    """Properties in the order they are fetched: native ones, then user properties, each once."""
    every = dict.fromkeys((*BASE, *query.properties))
    return tuple(sorted(every, key=lambda name: ":" in name))


def section(query: Query) -> str:
    names = ",".join(asked(query))
    return f"""\
zfs_ready || return 1
printf '%s\\n' {words((names,))}
exec zfs get -Hp -r -t filesystem,volume -o name,property,value,source {words((names,))}
"""


@total
def parse(text: str) -> Reading[dict[str, DatasetLive]]:
    """The names asked for, then `zfs get` lines: every property of a dataset, in the order asked.

    A user property may hold tabs and newlines. The order tells where the next record must begin; what cannot be told
    apart makes the section unknown.
    """
    head, _, body = text.partition("\n")
    names = head.split(",")
    datasets: dict[str, DatasetLive] = {}
    properties: dict[str, tuple[str, str]] = {}
    for position, (dataset, prop, value, source) in enumerate(_records(body, names)):
        properties[prop] = (value, source)
        if position % len(names) == len(names) - 1:
            if dataset in datasets:
                raise ValueError(f"dataset {dataset} comes twice")
            guid, kind = properties["guid"][0], properties["type"][0]
            if not guid.isdigit():
                raise ValueError(f"dataset {dataset} has no guid")
            datasets[dataset] = DatasetLive(dataset, guid, kind, properties)
            properties = {}
    return Present(datasets)


def _records(body: str, names: list[str]) -> list[tuple[str, str, str, str]]:
    """(dataset, property, value, source), lines of one value joined. Raises ValueError on a break of the order."""
    raw: list[list[str]] = []  # dataset, property, rest of the line
    for line in body.removesuffix("\n").split("\n") if body.strip("\n") else []:
        parts = line.split("\t", 2)
        step = len(raw) % len(names)
        begins = len(parts) == 3 and parts[1] == names[step] and (step == 0 or parts[0] == raw[-1][0])
        if begins:
            raw.append(parts)
        elif raw and ":" in raw[-1][1]:
            raw[-1][2] += "\n" + line
        else:
            raise ValueError(f"{line[:60]!r} where {names[step]} was to come")
    if len(raw) % len(names):
        raise ValueError(f"dataset {raw[-1][0]} lacks {names[len(raw) % len(names)]}")
    return [(dataset, prop, *_value(rest)) for dataset, prop, rest in raw]


def _value(rest: str) -> tuple[str, str]:
    value, tab, source = rest.rpartition("\t")
    if not tab or not _SOURCE.fullmatch(source):
        raise ValueError(f"{rest[:60]!r} has no source")
    return value, source
