"""What differs, as `blackstart drift --json` prints it, and what it saw, as `--save` writes it."""

from __future__ import annotations

from typing import Any, Literal

from blackstart.drift.finding import Cause, Kind
from blackstart.drift.plan import Does
from blackstart.spec.types import Model, Name


class DriftFinding(Model):
    """One thing that is not as it should be, or that could not be looked at."""

    kind: Kind
    """its class; docs/drift.md says what each means"""
    node: Name
    """the node"""
    resource: str
    """what kind of thing: `file`, `dataset`, `container` ..."""
    name: str
    """of the thing"""
    field: str
    """what of it; empty: the thing as a whole"""
    spec: str
    """what is wanted, for people; of a file's content the begin of its digest"""
    live: str
    """what is there, for people; with `unknown` why it could not be read"""
    cause: Cause
    """who moved; empty: not known, or no question of it"""
    reason: str
    """with `recoverability`: what a rebuild would fail on, or lose"""
    remedy: str
    """the next command, or act, for people"""
    waiver: str
    """who agreed to it, until when, and why; empty: it counts"""


class DriftDiff(Model):
    """How a file's content differs."""

    node: Name
    """the node"""
    file: str
    """its path"""
    diff: str
    """unified diff from the host's content to the spec's; a sentence where it is not shown"""


class Drift(Model):
    """A look at some nodes."""

    format: Literal[1]
    """of this document"""
    tool: str
    """version of blackstart"""
    commit: str
    """of the fleet's repository, `-dirty` behind it where files differ from it; empty: it is none"""
    nodes: dict[Name, int | None]
    """those looked at -> when, seconds since 1970 by the reader's clock; null: a kept reading that does not say"""
    findings: tuple[DriftFinding, ...]
    """in a stable order; waived ones, too"""
    waivers: tuple[str, ...]
    """waivers that have expired or cover nothing, one sentence each, for people"""
    notes: tuple[str, ...]
    """what else there is to know, for people"""
    diffs: tuple[DriftDiff, ...]
    """with `--diff`: of each file whose content differs"""


class PlannedStep(Model):
    """One difference, and what becomes of it."""

    resource: str
    """what kind of thing"""
    name: str
    """of the thing"""
    field: str
    """what of it; empty: the thing as a whole"""
    spec: str
    """what is wanted, for people"""
    live: str
    """what is there, for people; with `unread` why it could not be read"""
    cause: Cause
    """who moved; empty: not known"""
    does: Does
    """`change`: apply does it; `leave`: somebody changed the host, it stays; `report`: no deploy touches it"""


class PlanOfNode(Model):
    """What `blackstart apply NODE` would do now."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    digest: str
    """for `apply NODE --plan`; empty: something could not be read, there is no plan"""
    take_spec: bool
    """made with `--take-spec`"""
    steps: tuple[PlannedStep, ...]
    """in the order in which they are made"""


class KeptReading(Model):
    """One node's."""

    at: int | None
    """when it came, seconds since 1970 by the reader's clock; null: not known"""
    reading: dict[str, Any]
    """docs/reading.md"""


class KeptAnswer(Model):
    """What one vault answered, as it came."""

    at: int
    """when, seconds since 1970 by the reader's clock"""
    pool: str
    """that it keeps all on"""
    said: str
    """the answer; changes without notice"""
    failed: str
    """why there was none; empty: there was"""


class Look(Model):
    """All that a look saw. `blackstart drift --from` judges it again."""

    format: Literal[1]
    """of this document"""
    nodes: dict[Name, KeptReading]
    """those asked"""
    vaults: dict[Name, KeptAnswer]
    """those that keep them"""
