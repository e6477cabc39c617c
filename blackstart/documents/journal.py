"""Lines of the journal that a vault keeps of each node."""

from __future__ import annotations

from typing import Literal

from blackstart.spec.types import Model, Name


class Event(Model):
    """What every line has. `event` says which of the following it is."""

    format: Literal[1]
    """of the line"""
    at: int
    """seconds since 1970, by the clock of whoever wrote it"""


class Applied(Event):
    """A deploy ended well."""

    event: Literal["enrolled", "applied"]
    """`enrolled`: for the first time"""
    epoch: int
    """of the node"""
    by: str
    """who ran it"""
    commit: str
    """of the fleet's repository"""
    spec: str
    """the spec's digest"""


class Replicated(Event):
    """A snapshot arrived."""

    event: Literal["replicated"]
    """a snapshot arrived"""
    reason: str
    """why it was taken"""
    node: Name
    """the node"""
    dataset: str
    """its name on the node"""
    snapshot: str
    """after the @"""
    guid: str
    """of the snapshot, decimal"""
    spec: str
    """digest of what was applied then; empty: not known"""
    commit: str
    """the same as a commit"""


class PutAside(Event):
    """A replica that cannot be read whole any more made way for a new one."""

    event: Literal["replica put aside"]
    """it was renamed, nothing was destroyed"""
    node: Name
    """the node"""
    dataset: str
    """its name on the node"""
    snapshot: str
    """the newest one, which is damaged; after the @"""
    guid: str
    """of the snapshot, decimal"""
    to: str
    """the replica's new name on the vault"""
    why: str
    """what reading it came to"""


class Retired(Event):
    """Something left the spec and was put aside."""

    event: Literal["retired"]
    """something was put aside"""
    epoch: int
    """of the node"""
    what: str
    """a container, a dataset, or the node itself"""
    by: str
    """who did it"""
    commit: str
    """of the fleet's repository"""
    datasets: dict[str, str] = {}
    """dataset -> its new name on the node"""


class RebuildStep(Event):
    """A rebuild was opened, has made its pools, was given up; or what follows a restore was done."""

    event: Literal["rebuild open", "rebuild made", "rebuild abandon", "rebuild finished"]
    """which of them"""
    do: Literal["open", "made", "abandon", "finished"]
    """the same"""
    epoch: int
    """that it leads to; after `abandon` the one that stays"""
    by: str = ""
    """who did it; not with `made`"""
    disks: dict[str, str] = {}
    """with `open`: recorded disk id -> the one that stands in for it"""
    host_key: str = ""
    """with `open`: of the new machine"""
    pools: dict[str, str] = {}
    """with `made`: name -> guid"""
    since: int = 0
    """with `finished`: when the data was back, seconds since 1970"""


class RebuiltElsewhere(Event):
    """Another vault brought the node back."""

    event: Literal["rebuilt elsewhere"]
    """another vault did it"""
    epoch: int
    """of the node from now on"""
    by: str
    """who ran it"""
    vault: Name
    """which one"""


class RestoreBegun(Event):
    """A run of the restore began. A rebuild that was stopped has several."""

    event: Literal["restore"]
    """it began"""
    epoch: int
    """that it leads to"""
    by: str
    """who asked for it"""


class RestoreFailed(Event):
    """A run of the restore ended, and not all is back."""

    event: Literal["restore failed"]
    """it ended"""
    epoch: int
    """that it leads to"""
    why: tuple[str, ...]
    """one sentence each"""
