"""How a restore stands, and what it came to."""

from __future__ import annotations

from typing import Literal

from blackstart.spec.types import Model, Name
from blackstart.vault.restore_plan import Phase

ContainerState = Literal["waiting", "waiting for the host", "starting", "answers", "failed", "not started"]


class RestoreDataset(Model):
    """One dataset on its way."""

    dataset: str
    """its name on the node"""
    snapshot: str
    """which one comes back, after the @"""
    bytes: int
    """expected"""
    sent: int
    """so far"""
    phase: Phase
    """where it stands"""
    seconds: dict[str, float]
    """phase -> how long it took"""


class RestoredDataset(Model):
    """One dataset that came back."""

    dataset: str
    """its name on the node"""
    snapshot: str
    """after the @"""
    guid: str
    """of the snapshot, decimal"""
    lost: int
    """seconds between the snapshot and the begin of the rebuild"""
    bytes: int
    """sent"""
    seconds: dict[str, float]
    """phase -> how long it took"""


class Outcome(Model):
    """A rebuild or a restore that ended well: an event of the journal."""

    format: Literal[1] = 1
    """of the line; not where it stands inside restore.json"""
    event: Literal["rebuilt", "restored"]
    """the whole node, or single datasets"""
    at: int
    """when it ended, seconds since 1970 (UTC)"""
    node: Name
    """the node"""
    epoch: int
    """of the node from now on"""
    by: str
    """who asked for it"""
    rpo: int
    """seconds of data lost, the worst dataset's"""
    rto: float
    """seconds from the begin to now"""
    bytes: int
    """sent"""
    datasets: tuple[RestoredDataset, ...]
    """in the order in which they came back"""
    containers: dict[str, ContainerState]
    """by name"""
    pools: dict[str, str]
    """name -> guid"""
    begun: int
    """when the rebuild was first begun, seconds since 1970"""
    at_asked: str
    """what `--at` said; empty: the newest"""
    not_restored: dict[str, str]
    """dataset -> why it did not come back"""
    disks: dict[str, str] = {}
    """recorded disk id -> the one that stands in for it"""


class RestoreStatus(Model):
    """Replaced whole about once a second while a restore runs, and kept afterwards."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    epoch: int
    """that it leads to"""
    plan: int
    """when the plan was made, seconds since 1970: tells one restore from another"""
    begun: int
    """when the rebuild was first begun, seconds since 1970"""
    state: Literal["running", "done", "failed"]
    """`running` without an active unit: it was ended from outside; the same command goes on"""
    at: float
    """when this was written, by the vault's clock"""
    started: float
    """when this run began"""
    bytes: int
    """expected, of all datasets"""
    sent: int
    """so far"""
    rate: int
    """bytes a second"""
    datasets: tuple[RestoreDataset, ...]
    """in order of priority"""
    containers: dict[str, ContainerState]
    """by name"""
    errors: tuple[str, ...]
    """one sentence each"""
    outcome: Outcome | None = None
    """once all is done"""
