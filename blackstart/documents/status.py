"""How the fleet is, as one vault sees it."""

from __future__ import annotations

from typing import Literal

from blackstart.documents.commands import ReplicaAge
from blackstart.spec.types import Model, Name
from blackstart.status.heard import Heard
from blackstart.status.model import Runs


class SeenContainer(Model):
    """A container that is wanted, or said to run."""

    name: str
    """of the container"""
    state: Runs
    """`stopped`: nobody wants it started alone; `missing`: it is to run; `unmanaged`: it runs, and no spec has it"""
    services: tuple[str, ...]
    """systemd units with processes in it, as last heard"""


class ProvenRebuild(Model):
    """The newest rebuild that ended well, in earnest or as a drill."""

    at: int
    """when, seconds since 1970"""
    rto: float
    """seconds it took"""
    rpo: int
    """seconds of data lost"""


class PlayedDrill(Model):
    """The newest drill that this vault played of what it holds."""

    at: int
    """when it began, seconds since 1970"""
    verdict: Literal["passed", "failed", "incomplete"]
    """`incomplete`: nothing failed, and not all could be looked at"""
    rto: float
    """seconds until the last probe held"""
    rpo: int | None
    """seconds of data that a loss would have cost; null: not known"""
    why: tuple[str, ...]
    """what keeps it from having passed, one sentence each, for people"""


class SeenNode(Model):
    """One node. null: not known."""

    node: Name
    """the node"""
    heard: Heard
    """`late`: nothing within period and grace; `silent`: nothing within three times both; never taken for dead"""
    received: int | None
    """when its last heartbeat came, by the vault's clock"""
    age: int | None
    """the same as seconds ago"""
    epoch: int | None
    """of its pool, as it says"""
    uptime: float | None
    """seconds"""
    load: float | None
    """over one minute"""
    memory_total: int | None
    """bytes"""
    memory_available: int | None
    """bytes"""
    pools: dict[str, str | None] | None
    """name -> health"""
    containers: tuple[SeenContainer, ...]
    """by name"""
    replicas: tuple[ReplicaAge, ...]
    """what this vault holds of it, or should"""
    rpo: int | None
    """seconds of loss that are accepted; null: nothing of it is to be held here"""
    proven: ProvenRebuild | None
    """null: it was never brought back"""
    drill: PlayedDrill | None = None
    """null: none was played"""
    why: tuple[str, ...]
    """what could not be read, one sentence each, for people"""


class SeenSignal(Model):
    """A signal that is open."""

    id: str
    """its token: what it is closed with"""
    severity: str
    """`may-break` or `will-break`"""
    scope: str
    """what it is about"""
    reason: str
    """why it was given, for people"""
    by: str
    """who gave it"""
    opened: int
    """when, seconds since 1970"""
    expires: int
    """when it ends by itself"""


class FleetStatus(Model):
    """How the fleet is, as one vault sees it. One document a line, one line a vault."""

    format: Literal[1]
    """of this document"""
    vault: Name
    """who sees it"""
    at: int
    """when, by its clock"""
    nodes: tuple[SeenNode, ...]
    """by name; retired ones are left out"""
    signals: tuple[SeenSignal, ...]
    """those that are open"""
    clashes: tuple[str, ...]
    """what cannot be true of one fleet at the same time, one sentence each, for people"""
    why: tuple[str, ...]
    """what else could not be read, one sentence each, for people"""
