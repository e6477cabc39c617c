"""What is known of one node before anything is judged: what it said, what is recorded, what is held. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from blackstart import strict
from blackstart.blackbox.shape import is_number, is_time
from blackstart.reading import ABSENT, Reading
from blackstart.vault.freshness import Age
from blackstart.vault.record import Record

T = TypeVar("T")


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
    containers: Mapping[str, tuple[str, ...]] | None
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
    return _made("heartbeat", text, _beat)


def _beat(data: Mapping[str, Any]) -> Beat:
    memory, load = data["memory"], data["load"][0]
    pools, containers = data["pools"], data["containers"]
    return Beat(
        received=float(_is(is_time, "received", data["received"])),
        epoch=_or_none(_is_whole, "epoch", data["epoch"]),
        uptime=_or_none(is_number, "uptime", data["uptime"]),
        load=_or_none(is_number, "load", load),
        memory_total=_or_none(_is_whole, "memory", memory["total"]),
        memory_available=_or_none(_is_whole, "memory", memory["available"]),
        pools=None if pools is None else {name: _or_none(_is_text, "pools", health) for name, health in pools.items()},
        containers=None
        if containers is None
        else {name: _texts("containers", each["services"]) for name, each in containers.items()},
        applied=_or_none(_is_text, "applied", data["applied"]),
    )


def played(text: str) -> Played:
    """`live/NODE/drill/last.json` on a vault. Raises ValueError with one clause."""
    return _made("drill", text, _played)


def _played(data: Mapping[str, Any]) -> Played:
    return Played(
        at=_is(is_time, "at", data["at"]),
        verdict=_is(_is_text, "verdict", data["verdict"]),
        rto=float(_is(is_number, "rto", data["rto"])),
        rpo=_or_none(_is_whole, "rpo", data["rpo"]),
        why=_texts("why", data["why"]),
    )


def proven(text: str | bytes) -> Proven | None:
    """A line of a journal; None when it is of something else than a rebuild. Raises ValueError with one clause."""
    return _made("line of a journal", text, _proven)


def _proven(data: Mapping[str, Any]) -> Proven | None:
    if data["event"] != "rebuilt":
        return None
    return Proven(
        at=_is(is_time, "at", data["at"]),
        rto=_is(is_number, "rto", data["rto"]),
        rpo=_is(_is_whole, "rpo", data["rpo"]),
    )


def recorded(record: Record) -> Recorded:
    """What matters of a record. Raises ValueError with one clause."""
    try:
        spec = record.applied.spec if record.applied else {}
        return Recorded(
            epoch=_is(_is_whole, "epoch", record.epoch),
            retired=_is(_is_bool, "retired", record.retired),
            applied=_is(_is_text, "applied", record.applied.digest) if record.applied else "",
            containers={
                name: bool(each.get("autostart", True)) for name, each in (spec.get("containers") or {}).items()
            },
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a record: {_clause(error)}") from error


def signal(text: str) -> OpenSignal | None:
    """`live/now/signals/TOKEN.json` on a vault; None when it is not open. Raises ValueError with one clause."""
    return _made("signal", text, _signal)


def _signal(data: Mapping[str, Any]) -> OpenSignal | None:
    if _is(_is_text, "state", data["state"]) != "open":
        return None
    return OpenSignal(
        id=_is(_is_text, "token", data["token"]),
        severity=_is(_is_text, "severity", data["severity"]),
        scope=_is(_is_text, "scope", data["scope"]),
        reason=_is(_is_text, "reason", data["reason"]),
        by=_is(_is_text, "by", data["by"]),
        opened=int(_is(is_time, "at", data["at"])),
        expires=int(_is(is_time, "until", data["until"])),
    )


def _made(what: str, text: str | bytes, make: Callable[[Mapping[str, Any]], T]) -> T:
    """What `make` makes of a file's JSON. Every way in which it is something else is one ValueError."""
    try:
        return make(strict.loads(text))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a {what}: {_clause(error)}") from error


def _clause(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else repr(error)


def _is(holds: Callable[[object], bool], key: str, value: Any) -> Any:
    if not holds(value):
        raise ValueError(f"{key} is of another type")
    return value


def _or_none(holds: Callable[[object], bool], key: str, value: Any) -> Any:
    return None if value is None else _is(holds, key, value)


def _texts(key: str, values: Any) -> tuple[str, ...]:
    return tuple(_is(_is_text, key, each) for each in _is(_is_list, key, values))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
