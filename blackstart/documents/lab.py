"""What a drill and the bench leave behind."""

from __future__ import annotations

from typing import Literal

from blackstart.spec.types import Model


class DrillStep(Model):
    """One step."""

    name: str
    """as shown"""
    began: float = 0
    """seconds since the first step began"""
    seconds: float
    """how long it took"""
    bytes: int | None
    """that it moved; null: not counted"""
    note: str
    """for people"""
    ok: bool
    """it came out as it must"""
    log: str
    """the file with its output"""


class DrillResult(Model):
    """A drill, also one that stopped half-way: then its last step is not `ok`."""

    format: Literal[1]
    """of this document"""
    steps: tuple[DrillStep, ...]
    """as played so far"""
    rto_seconds: float | None = None
    """from the loss to the service answering; missing: it did not come so far"""
    rpo_seconds: float | None = None
    """of data lost; missing: it did not come so far"""


class TortureRound(Model):
    """A round in which something was wrong."""

    seed: int
    """`python -m blackstart.torture --seed=N`, or the same of `blackstart lab torture`, shows it again"""
    why: str
    """what did not hold, for people"""
    story: tuple[str, ...]
    """what was done to the fleet, for people"""


class TortureResult(Model):
    """Many losses, simulated or in one guest."""

    format: Literal[1]
    """of this document"""
    first: int
    """the first seed"""
    states: int
    """how many seeds, one after the other"""
    seconds: float
    """how long it took"""
    verdicts: dict[str, int]
    """of the first run, `, refused` behind it where it was -> how often"""
    refusals: dict[str, int]
    """why first runs were refused, for people -> how often"""
    left_out: dict[str, int] = {}
    """reason -> how many seeds of the range this form cannot play; they are not counted as rounds"""
    wrong: tuple[TortureRound, ...]
    """empty: everything held"""


class BenchRow(Model):
    """One comparison: medians of both sides within one run."""

    what: str
    """ours"""
    peer: str
    """what it is held against"""
    ours: float
    """in `unit`"""
    theirs: float
    """in `unit`"""
    runs: int
    """samples a side"""
    unit: str
    """seconds (`s`), or what it says"""
    goal: float | None
    """the most that the ratio may be; null: none is set"""
    ratio: float
    """ours by theirs"""


class BenchResult(Model):
    """A run of the bench."""

    format: Literal[1]
    """of this document"""
    steps: tuple[DrillStep, ...]
    """what was done to have machines to measure"""
    rows: tuple[BenchRow, ...] = ()
    """missing: it did not come so far"""
