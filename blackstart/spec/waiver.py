"""waivers.toml: drift that somebody has agreed to live with, until a day."""

from __future__ import annotations

from datetime import date
from typing import Literal

from blackstart.spec.types import Model, OneLine


class Waiver(Model):
    """What it covers is still shown, and counts no more. `node`, `name` and `field` may be patterns like `web*`."""

    node: OneLine = "*"
    """the node's name"""
    resource: OneLine
    """what kind of thing, as `blackstart drift` says it: `file`, `dataset`, `unit` ..."""
    name: OneLine = "*"
    """of the thing, like `tank/data/crm`"""
    field: str = "*"
    """what of it, like `quota`; empty: the thing as a whole"""
    owner: OneLine
    """who agreed to it, and is asked about it"""
    reason: OneLine
    """why it may stay so"""
    expires: date
    """the last day it holds, like 2027-03-31; afterwards it is drift again"""


class Waivers(Model):
    """waivers.toml: drift that is known and may stay, for a while. The file may be missing."""

    format: Literal[1] = 1
    """of this file"""
    waivers: tuple[Waiver, ...] = ()
    """in any order"""
