"""What a vault's own checks leave beside `last.json`, which is a document of `drift`."""

from __future__ import annotations

from typing import Literal

from blackstart.documents.drift import DriftFinding
from blackstart.spec.types import Model, Name


class DriftCheck(Model):
    """How the last check on schedule went."""

    format: Literal[1]
    """of this document"""
    vault: Name
    """that made it"""
    at: int
    """when it ended, by the vault's clock"""
    seconds: float
    """how long it took"""
    exit_code: int
    """0 clean, 1 not completed, 2 drift, 3 something could not be read"""
    why: str
    """why it was not completed, for people; empty: it was"""
    completed: int
    """when the last completed one ended; 0: there was none yet. `last.json` is its result"""


class DriftEvent(Model):
    """What is announced of one finding; it is written whether or not anybody could be told."""

    format: Literal[1]
    """of this document"""
    event: Literal["found", "changed", "over"]
    """a new finding, another state of it, its end"""
    at: int
    """when, by the vault's clock"""
    since: int
    """when it was first seen"""
    why: str
    """with `over`: how it came so, for people; empty: it is simply gone"""
    finding: DriftFinding
    """as it was last seen"""
