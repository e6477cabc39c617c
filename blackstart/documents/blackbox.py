"""The history of a vault, and the state as of a moment."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from blackstart.spec.types import Model, Name


class HappenedEvent(Model):
    """What happened, as the vault's service wrote it down. `GET /api/events` sends the same."""

    format: Literal[1]
    """of the line"""
    id: int
    """one more with each event, with gaps; for `Last-Event-ID`"""
    at: int
    """when, by the vault's clock"""
    kind: str
    """`heartbeat`, `heard` (or not), `signal`, `announce`, `drift` ...; more may come"""
    node: str
    """whose it is; empty: the whole fleet's"""
    text: str
    """one sentence, for people"""
    data: dict[str, Any]
    """what there is to it, by kind; `severity`: people are told"""


class TimelineEntry(Model):
    """One thing that happened."""

    at: int
    """when, by the clock of the vault that wrote it down"""
    node: str
    """whose it is; empty: the whole fleet's"""
    kind: str
    """of an event, or `deploy`, `replicated`, `replica` (made way), `retired`, `rebuild`, `restore`, `drift`,
    `drill`, `journal`"""
    text: str
    """one sentence, for people"""
    vaults: tuple[str, ...] = ()
    """those that wrote it down; not from `GET /api/timeline`, which is of one"""


class Timeline(Model):
    """What happened, merged from all that was written down."""

    format: Literal[1]
    """of this document"""
    entries: tuple[TimelineEntry, ...]
    """oldest first"""
    more: bool
    """there are older ones that were asked for"""
    unread: tuple[str, ...]
    """what could not be read, one sentence each"""


class StateMoment(Model):
    """When."""

    snapshot: str
    """of the vault's live state, after the @; empty: now"""
    at: int | None
    """when it was taken; null: its name does not say"""


class StateNode(Model):
    """What the vault knew of a node. null: there is no such file."""

    heartbeat: dict[str, Any] | None
    """its last one: [heartbeat](#heartbeat), with when the vault received it"""
    drift: dict[str, Any] | None
    """how its last reading was judged: [drift](#drift)"""
    record: dict[str, Any] | None
    """[record](#record)"""
    replication: dict[str, Any] | None
    """[replication](#replication)"""
    restore: dict[str, Any] | None
    """[restore](#restore)"""
    drill: dict[str, Any] | None = None
    """[restore-drill](#restore-drill), the last one"""
    reading: dict[str, Any] | None = None
    """with NODE alone: its last reading ([reading.md](reading.md))"""
    containers: dict[str, dict[str, Any] | None]
    """by name, as last heard of"""
    services: dict[str, dict[str, Any] | None]
    """by container and unit, or by a service's own name"""
    unread: dict[str, str]
    """file -> why it could not be read; its key is null"""


class State(Model):
    """The last known state as of a moment."""

    format: Literal[1]
    """of this document"""
    vault: str
    """that knew it, or the folder"""
    moment: StateMoment
    """as of when"""
    nodes: dict[Name, StateNode]
    """by name"""
    signals: dict[str, dict[str, Any] | None]
    """every signal that was kept, by its id; null: it could not be read"""
    unread: dict[str, str] = {}
    """of what is no node's: file -> why it could not be read"""


class StateChange(Model):
    """One value that differs."""

    path: str
    """node and keys, with dots between them"""
    before: Any
    """null: it was not there"""
    after: Any
    """null: it is not there"""


class StateChanges(Model):
    """What differs between two moments."""

    format: Literal[1]
    """of this document"""
    vault: str
    """that knew it, or the folder"""
    begin: StateMoment = Field(alias="from")
    """the one"""
    to: StateMoment
    """the other"""
    changes: tuple[StateChange, ...]
    """also of numbers that move all the time"""
    unread: tuple[str, ...] = ()
    """what could not be read in one of them, one sentence each; no change is told of it"""
