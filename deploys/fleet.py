"""What every entry point needs first: the fleet, one node's spec, and what the command line said with --data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pyinfra import logger

from blackstart.converge.context import Context, gather, uncommitted_line
from blackstart.converge.pool import replacements
from blackstart.converge.reader import readers
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import fleet_path, load_fleet
from blackstart.spec.resolve import NodeSpec, resolve, resolve_all
from operations.record import vault_keys


@dataclass(frozen=True, slots=True)
class Asked:
    """`--data enroll=yes`, `disks=OLD=NEW,...`, `plan=DIGEST` and `take_spec=yes`."""

    enroll: bool
    disks: dict[str, str]
    plan: str
    take_spec: bool


@cache
def fleet() -> Fleet:
    """The fleet, read once per run. Raises SpecError, which stops the run before any host is touched."""
    return load_fleet(fleet_path())


def spec_of(node: str) -> NodeSpec:
    return resolve(fleet(), node)


def context_of(spec: NodeSpec, folder: Path | None = None) -> Context:
    """What the wishes need beside the spec; its vaults are asked for their keys. Raises OSError for a missing file.

    `folder`: where the spec's files lie, if not in the fleet's own.
    """
    nodes = resolve_all(fleet())
    asked = (*spec.vaults, *readers(spec, nodes), *nodes.vaults)
    return gather(spec, fleet(), folder or fleet_path(), vault_keys(spec, tuple(dict.fromkeys(asked))))


@cache
def warn_of_uncommitted() -> None:
    """Once per run: what is applied now and does not travel to the vaults."""
    line = uncommitted_line(fleet_path())
    if line:
        logger.warning(line)


def asked(data: Any) -> Asked:
    """What --data said. Raises ValueError for a replacement that is not OLD=NEW."""
    disks = replacements(str(data.get("disks") or ""))
    return Asked(_yes(data, "enroll"), disks, str(data.get("plan") or ""), _yes(data, "take_spec"))


def _yes(data: Any, name: str) -> bool:
    return str(data.get(name) or "no").lower() in ("yes", "true", "1")
