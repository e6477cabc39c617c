"""docs/spec.md, made from the models: what the code reads and what the page says cannot differ."""

from __future__ import annotations

import re
import textwrap
import types
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from blackstart.spec.schema import FILES, TITLES
from blackstart.spec.types import Grammar, parse_size

_INTRODUCTION = """\
# What can a spec say?

Every file of a fleet, every key, what it takes and what it is when left out.
This page is made from the code (`blackstart spec docs > docs/spec.md`); a test
keeps it current.

**Read the example first**: [`inventory/`](../inventory) is a whole fleet with
comments, and shows in a few minutes what this page lists. Copy it, change it,
and run

    blackstart spec check        # everything that is wrong: file, line and key
    blackstart spec show node1   # what it comes to, with all that is derived
    blackstart spec schema node  # JSON Schema, for editors

A fleet is a folder: `inventory` in the current folder, or the one that
`BLACKSTART_FLEET` names.

    fleet.toml              what is common
    nodes/NAME.toml         one per host
    containers/NAME.toml    one per container
    lock.toml               digests of images and releases, written by the tool
    waivers.toml            drift that may stay for a while; may be missing
    projects/NAME/          a service's files; NAME.service: its unit's template
    hosts.py                pyinfra's inventory, made from all this; the same
                            for every fleet

- Every file begins with `format = 1`. A newer format is refused, an older one
  is lifted by `blackstart spec migrate`.
- An unknown key is an error. Sizes and durations carry their unit: `200GiB`
  (1024), `4TB` (1000), `15min`.
- Secrets are never written here, only where they are: `file:PATH` in this
  folder, `command:LINE`, `sops:FILE#KEY`.
- What `[defaults.container]` says holds for every container's file that does
  not say it. Tables are merged, lists replaced.
- A unit's template knows `{{ project }}`, `{{ container }}`, `{{ port }}` and
  `{{ root }}`, the folder of the release.

What is looked at across files (`spec check`): names, addresses, MACs, ports,
SSH targets and host keys that two things share, derived ones too; id maps of
one node that overlap without being equal (LXC's usual shared map is fine,
half-shared ones are a mistake); datasets with two owners or outside the node's
pools; quotas and reservations above the pool; disks used twice; vdevs of
different redundancy in one pool, which zpool makes by force alone; replicated
datasets without a vault, and unreplicated ones without a reason; names of
nodes, pools, bridges, images, projects and containers that do not exist;
circles in `after`; an encrypted clone of a plain image; memory, quotas and
intervals that are too small to work; datasets mounted over what a host,
blackstart or a container itself runs from; lines in `raw` that contradict the
rest of the spec; disks by a name that changes, like `sda`.

What need not be a mistake is a warning, and does not change the exit code: a
key (`file:`) that this machine does not have; quotas that are more than the
pool together; members of a mirror or raidz of very different size; a probe on
another port than that of the container's only service; a fleet that is in no
git commit yet.

A host's SSH key is pinned by `host_key`. When a host was replaced, read the new
one on its console (`cat /etc/ssh/ssh_host_ed25519_key.pub`) and write it here;
nothing ever accepts a key on sight.

Below, each key with what it means, and under it what it takes.
"""


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    """A paragraph or an item of a list in 80 columns, for a terminal; what stands in `...` is never broken."""
    whole = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\0"), " ".join(text.split()))
    lines = textwrap.wrap(
        whole, 80, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("\0", " ") + "\n"


def reference() -> str:
    """The whole page, Markdown."""
    parts = [_INTRODUCTION]
    told: set[type[BaseModel]] = set()
    for name, model in FILES.items():
        parts.append(f"\n## {TITLES[name]}\n")
        parts.extend(section(model, told))
    return "".join(parts)


def section(model: type[BaseModel], told: set[type[BaseModel]], defaults: bool = True) -> Iterator[str]:
    """A model's keys, and after them those of the models inside it that are not `told` yet.

    `defaults`: what a key comes to that is left out. Without it the page is about what is written, not typed.
    """
    told.add(model)
    yield f"\n{wrapped(model.__doc__ or '')}\n"
    for name, field in model.model_fields.items():
        value = _type(field.annotation, list(field.metadata))
        if defaults:
            value += _default(field)
        elif not field.is_required():
            value += ", may be missing"
        yield wrapped(f"`{field.alias or name}`: {field.description}", "- ", "  ")
        yield wrapped(value, "  - ", "    ")
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            if inner not in told:
                yield f"\n### {inner.__name__}\n"
                yield from section(inner, told, defaults)


def _type(annotation: Any, metadata: list[Any]) -> str:
    for item in metadata:
        if isinstance(item, Grammar):
            return item.what
        if isinstance(item, BeforeValidator):
            return "a size" if item.func is parse_size else "a duration"
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0], list(inner[1:]))
    if origin in (Union, types.UnionType):
        return " or ".join(_type(each, []) for each in inner if each is not type(None))
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in inner)
    if origin is dict:
        return f"table by {_one(inner[0])}: {_one(inner[1])}"
    if origin is tuple:
        return ("list, each " if inner[-1] is ... else "list of two, each ") + _one(inner[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    words = {
        str: "text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        date: "a day, like 2027-03-31",
    }
    return words.get(annotation, "any value")


def _one(annotation: Any) -> str:
    """A type inside another one: without the explanation in brackets that stands where it is used alone."""
    shown = _type(annotation, [])
    return shown if shown.startswith("[") else shown.partition(" (")[0]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ", **required**"
    value = field.default
    if isinstance(value, BaseModel) or value in (None, {}, ()):
        return ""
    if isinstance(value, tuple):
        value = list(value)
    shown = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else value
    return f", `{shown}` if left out"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every model inside this one, however deep."""
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            yield inner
            yield from models(inner)
