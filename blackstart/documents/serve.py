"""What the service on a vault answers, and the files that it keeps of each node."""

from __future__ import annotations

from typing import Any, Literal

from blackstart.documents.node import HeartbeatFile
from blackstart.spec.types import Model, Name
from blackstart.status.heard import Heard


class KeptHeartbeat(HeartbeatFile):
    """The last heartbeat of a node, as the vault took it."""

    received: float
    """when, by the vault's clock"""
    boots: tuple[str, ...]
    """boots before this one, newest last"""


class KeptContainer(Model):
    """A container that a heartbeat once named."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    container: str
    """its name"""
    running: bool
    """it has processes, as of the last heartbeat"""
    services: tuple[str, ...]
    """systemd units with processes"""
    since: float
    """when the vault first heard of it as it is now, by the vault's clock"""


class KeptService(Model):
    """A systemd unit of a container, of those that a heartbeat once named."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    container: str
    """its name"""
    service: str
    """the unit"""
    running: bool
    """it has processes, as of the last heartbeat"""
    since: float
    """when the vault first heard of it as it is now, by the vault's clock"""


class ServiceHeartbeat(Model):
    """What a service with a token of its own says of itself."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node that it runs on"""
    service: Name
    """as its token says"""
    sequence: int
    """greater each time; seconds since 1970 do"""
    status: Literal["ok", "degraded", "failed"]
    """how it is, by its own word"""
    text: str = ""
    """one line, for people"""
    timestamp: int | None = None
    """seconds since 1970, by its own clock"""


class KeptServiceHeartbeat(ServiceHeartbeat):
    """The same as the vault took it."""

    received: float
    """when, by the vault's clock"""
    boots: tuple[str, ...]
    """empty"""


class IndexNode(Model):
    """One node. null: its heartbeat could not say, or none ever came."""

    heard: Heard
    """`fresh` within period + grace, then `late`, after three times that `silent`; `unknown`: never heard"""
    age: float | None
    """seconds since the last heartbeat, by the vault's clock"""
    period: int
    """seconds between its heartbeats"""
    grace: int
    """seconds that one may be late"""
    received: float | None
    """when the last heartbeat came, by the vault's clock"""
    status: str | None
    """its own word: `ok`, `degraded`, `unknown`"""
    missed: int | None
    """heartbeats in a row before this one that no vault took"""
    sequence: int | None
    """one more with each heartbeat"""
    epoch: int | None
    """of its pool"""
    uptime: float | None
    """seconds"""
    pools: dict[str, str | None] | None
    """name -> health, in the words of `zpool list`"""
    applied: str | None
    """digest of the spec as last applied"""
    containers: tuple[str, ...] | None
    """those that run"""


class Index(Model):
    """Every node of the fleet as a vault heard it. In the file, `heard` and `age` are as of `at`."""

    format: Literal[1]
    """of this document"""
    vault: Name
    """whose view it is"""
    at: int
    """when it was made, by the vault's clock"""
    nodes: dict[Name, IndexNode]
    """by name"""


class NodeAnswer(IndexNode):
    """One node of the index, and the whole of its last heartbeat."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    heartbeat: dict[str, Any] | None
    """as in [kept-heartbeat](#kept-heartbeat); null: none ever came"""


class Health(Model):
    """How the service itself is."""

    format: Literal[1]
    """of this document"""
    status: Literal["ok", "degraded"]
    """`degraded` is answered with 503"""
    why: tuple[str, ...]
    """for people; empty: it is well"""
    version: str
    """of the tool"""
    uptime: float
    """seconds since its start"""
    last_write: float | None
    """when a heartbeat was last made durable, by the vault's clock; null: none since the start"""
    pool: str
    """health of the vault's own pool, in the words of `zpool list`; `unknown`: the kernel does not say"""
