"""Cron files and units that neither a package nor the spec brought: somebody wants them, and the fleet does not know.

A rebuild would lose them like any other file made by hand; but these act by themselves, so they are a class with the
other things that nobody described. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Literal

from blackstart.converge import paths
from blackstart.converge.wanted import Wanted
from blackstart.drift.cause import History
from blackstart.drift.finding import Cause, Finding
from blackstart.live.model import Live
from blackstart.reading import Present

_CRON = re.compile(r"/etc/cron\.(d|hourly|daily|weekly|monthly)/[^/]+|/var/spool/cron/crontabs/[^/]+")
_UNIT = re.compile(rf"{paths.UNITS}/[^/]+\.(service|timer|path|socket|mount|target|slice)")


def kind(path: str) -> Literal["", "cron", "unit"]:
    """Which of the two a file is; "" for any other."""
    return "cron" if _CRON.fullmatch(path) else "unit" if _UNIT.fullmatch(path) else ""


def by_hand(node: str, wanted: Wanted, live: Live, history: History, told: Collection[str]) -> Iterator[Finding]:
    """Those of a reading that looked for the host's handmade files. `told`: names that the diff says as unmanaged."""
    there = live.handmade.value.unowned if isinstance(live.handmade, Present) else ()
    for path in there:
        resource = kind(path)
        name = path.rsplit("/", 1)[-1] if resource == "unit" else path
        if not resource or path in wanted.files or {name, path} & set(told):
            continue
        place = "units" if resource == "unit" else "files"
        remedy = f"put it into [host.{place}] of nodes/{node}.toml, or remove it from the host"
        cause: Cause = ""
        if history.applied:
            cause = "spec ahead" if path in history.applied.wanted.files else "host changed"
        yield Finding("unmanaged", node, resource, name, live="there", cause=cause, remedy=remedy)
