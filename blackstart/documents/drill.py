"""What a drill in isolation comes to, as the vault keeps it and `blackstart drill --json` prints it."""

from __future__ import annotations

from typing import Literal

from blackstart.spec.types import Model, Name

_State = Literal["good", "bad", "unknown"]
_Verdict = Literal["passed", "failed", "incomplete"]


class DrilledDataset(Model):
    """A replicated dataset of the node."""

    dataset: str
    """its name on the node"""
    state: _State
    """`unknown`: it was not drilled, or not to its end"""
    why: str
    """why it is not good, for people; empty: it is"""
    snapshot: str
    """after the @; empty: none was played"""
    guid: str
    """of the snapshot, decimal"""
    age: int | None
    """seconds from the snapshot to the drill, by the vault's clock; null: not known"""
    referenced: int
    """bytes of data in it"""
    files: int
    """that were read, to their end or for 16 MiB"""
    compared: int
    """of them with what an earlier drill read, nobody having written to them since"""
    bytes: int
    """that were read of them"""


class DrilledProbe(Model):
    """One of the container's own probes, asked inside its network."""

    what: str
    """was asked"""
    ok: bool
    """it held in time"""
    seconds: float
    """until it held, or was given up"""
    said: str
    """what came instead, for people"""


class DrilledContainer(Model):
    """A container of the node."""

    name: Name
    """of the container"""
    state: _State
    """`good`: it ran, and every probe held"""
    why: str
    """why it is not good, for people; empty: it is"""
    network: tuple[str, ...]
    """interfaces that it had: `lo` alone, or it was killed; none: it was not started"""
    probes: tuple[DrilledProbe, ...]
    """as far as they were asked"""
    left_out: tuple[str, ...]
    """lines of LXC configuration in its spec that a drill does not use"""


class DrilledStep(Model):
    """Something that took time."""

    part: Literal["clone", "image", "check", "start", "probe"]
    """of the RTO"""
    what: str
    """for people"""
    began: float
    """seconds since the drill began"""
    seconds: float
    """how long it took"""
    ok: bool
    """it came to its end"""


class DrillSplit(Model):
    """Seconds that the parts took."""

    clone: float
    """clone and mount the snapshots"""
    image: float
    """unpack images of containers"""
    check: float
    """read sampled files"""
    start: float
    """start containers"""
    probe: float
    """until the probes held"""


class RestoreDrill(Model):
    """A drill of what a vault holds of a node, also one that stopped half-way."""

    format: Literal[1]
    """of this document"""
    event: Literal["drilled"]
    """what happened"""
    id: str
    """of this drill, and of all that it made on the vault"""
    node: Name
    """whose data it was"""
    vault: Name
    """that played it"""
    by: str
    """who wanted it; `the timer`: nobody"""
    at: int
    """when it began, by the vault's clock"""
    named: str
    """the snapshot that was asked for; empty: the newest. Others are not counted as drills that are due"""
    seed: int
    """that chose the files"""
    spec: str
    """digest of the spec that was played"""
    every: int
    """seconds: how old a good drill may be"""
    allowed: int
    """seconds of loss that the spec accepts"""
    seconds: float
    """how long all of it took"""
    verdict: _Verdict
    """`failed`: something would not come back; `incomplete`: nothing failed, and not all could be looked at"""
    why: tuple[str, ...]
    """what keeps it from having passed, one sentence each, for people"""
    rpo: int | None
    """seconds of data that a loss would have cost, of the worst dataset; null: not known"""
    rto: float
    """seconds of all parts together"""
    split: DrillSplit
    """of the same"""
    bytes: int
    """of data in what was played"""
    datasets: tuple[DrilledDataset, ...]
    """every replicated one, by name"""
    containers: tuple[DrilledContainer, ...]
    """those that start alone, in the order of their start"""
    steps: tuple[DrilledStep, ...]
    """in their order"""
    trouble: tuple[str, ...]
    """what went wrong with the drill itself, for people"""
    notes: tuple[str, ...]
    """what else to know, for people"""


class DrillEvent(Model):
    """One drill, in a line."""

    format: Literal[1]
    """of the line"""
    event: Literal["drilled"]
    """what happened"""
    id: str
    """its page and its whole result are `reports/ID.html` and `reports/ID.json`"""
    node: Name
    """whose data it was"""
    vault: Name
    """that played it"""
    by: str
    """who wanted it"""
    at: int
    """when it began, by the vault's clock"""
    named: str
    """the snapshot that was asked for; empty: the newest"""
    seconds: float
    """how long all of it took"""
    verdict: _Verdict
    """as in the result"""
    rpo: int | None
    """as in the result"""
    rto: float
    """as in the result"""
    bytes: int
    """as in the result"""
    why: tuple[str, ...]
    """as in the result"""
