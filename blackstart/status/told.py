"""What is known of one node before anything is judged: what it said, what is recorded, what is held. Plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blackstart.reading import ABSENT, Reading
from blackstart.vault.freshness import Age
from blackstart.vault.record import Record


@dataclass(frozen=True, slots=True)
class Beat:
    """What matters of a node's last heartbeat. `received`: seconds since 1970 by the vault's clock.

    None: the node could not read it. Pools: name -> health; containers: name -> services with processes.
    """

    received: float
    epoch: int | None
    uptime: float | None
    load: float | None  # over one minute
    memory_total: int | None  # bytes
    memory_available: int | None
    pools: Mapping[str, str | None] | None
    containers: Mapping[str, tuple[str, ...]]
    applied: str | None  # digest


@dataclass(frozen=True, slots=True)
class Recorded:
    """What matters of a node's record. `containers`: those of the spec as last applied -> whether they start alone."""

    epoch: int
    retired: bool
    applied: str
    containers: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proven:
    """The newest rebuild that ended well, in earnest or as a drill: seconds since 1970, and how long it took."""

    at: int
    rto: float
    rpo: int


@dataclass(frozen=True, slots=True)
class Played:
    """The newest drill that this vault played of its replicas (blackstart.isolated). `rpo` None: not known."""

    at: int
    verdict: str  # passed, failed, incomplete
    rto: float
    rpo: int | None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Of one node. `period`, `grace`, `rpo`: seconds; `rpo` None: nothing of it is to be held here."""

    node: str
    period: float
    grace: float
    beat: Reading[Beat] = ABSENT
    record: Reading[Recorded] = ABSENT
    replicas: Reading[tuple[Age, ...]] = ABSENT
    rpo: int | None = None
    proven: Reading[Proven] = ABSENT
    drill: Reading[Played] = ABSENT


@dataclass(frozen=True, slots=True)
class OpenSignal:
    """A signal that nobody has closed. Times are seconds since 1970; `by` and `reason` are for people."""

    id: str
    severity: str
    scope: str
    reason: str
    by: str
    opened: int
    expires: int


def beat(text: str) -> Beat:
    """`live/NODE/heartbeat.json` on a vault. Raises ValueError with one clause."""
    try:
        data: dict[str, Any] = json.loads(text)
        memory = data["memory"]
        return Beat(
            received=float(data["received"]),
            epoch=data["epoch"],
            uptime=data["uptime"],
            load=data["load"][0],
            memory_total=memory["total"],
            memory_available=memory["available"],
            pools=data["pools"],
            containers={name: tuple(each["services"]) for name, each in data["containers"].items()},
            applied=data["applied"],
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a heartbeat: {error!r}") from error


def played(text: str) -> Played:
    """`live/NODE/drill/last.json` on a vault. Raises ValueError with one clause."""
    try:
        data: dict[str, Any] = json.loads(text)
        return Played(data["at"] + 0, data["verdict"], float(data["rto"]), data["rpo"], tuple(data["why"]))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a drill: {error!r}") from error


def recorded(record: Record) -> Recorded:
    """What matters of a record."""
    spec = record.applied.spec if record.applied else {}
    containers = spec.get("containers")
    found = containers if isinstance(containers, dict) else {}
    return Recorded(
        epoch=record.epoch,
        retired=record.retired,
        applied=record.applied.digest if record.applied else "",
        containers={name: bool(each.get("autostart", True)) for name, each in found.items()},
    )


def signal(text: str) -> OpenSignal | None:
    """`live/now/signals/TOKEN.json` on a vault; None when it is not open. Raises ValueError with one clause."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data["state"] != "open":
            return None
        return OpenSignal(
            id=data["token"],
            severity=data["severity"],
            scope=data["scope"],
            reason=data["reason"],
            by=data["by"],
            opened=int(data["at"]),
            expires=int(data["until"]),
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a signal: {error!r}") from error
