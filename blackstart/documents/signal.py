"""Signals, as the service answers them and as they lie on the vault."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blackstart.signal.asked import SCOPE, Severity
from blackstart.signal.model import State
from blackstart.spec.types import Model, Name

Token = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class SignalSnapshot(Model):
    """One snapshot that a signal took."""

    dataset: str
    """the node's name of it"""
    snapshot: str
    """its name, after the @"""
    guid: str
    """its guid, the same wherever it is replicated"""


class SignalOnNode(Model):
    """What was done on one node."""

    scope: str
    """`node`, or `container:NAME`"""
    snapshot: str
    """name of all that was taken there"""
    spec: str
    """digest of the spec as last applied; "": not known"""
    commit: str
    """the fleet's commit as last applied; "": not known"""
    taken: tuple[SignalSnapshot, ...]
    """none of them: it has no part in this, see `missing`"""
    capture: str
    """file on the vault with what ran then, for `blackstart drift --from`; "": not read. It goes as many days after the
    signal's end as the node's `keep.daily` says"""
    pulled: tuple[str, ...]
    """guids that are on the vault"""
    only_here: tuple[str, ...]
    """datasets that were taken and that no vault pulls"""
    notes: tuple[str, ...]
    """sentences for people"""


class SignalFile(Model):
    """A signal. Times are seconds since 1970, by the vault's clock."""

    format: Literal[1]
    """of this document"""
    token: Token
    """its name everywhere; `blackstart-signal-TOKEN` is its hold on a node"""
    scope: Annotated[str, Field(pattern=f"^({SCOPE})$")]
    """`container:NAME`, `node:NAME` or `fleet`"""
    severity: Severity
    """what is about to happen"""
    reason: str
    """in the words of who gave it"""
    who: str
    """by whose token it was given"""
    by: str
    """who says that they gave it"""
    key: str
    """the idempotency key; "": none"""
    digest: str
    """of what was asked, so that a key stands for one signal alone"""
    at: int
    """when it was asked for"""
    until: int
    """when it ends by itself"""
    state: State
    """`opening` and `failed` ones were never answered"""
    nodes: dict[Name, SignalOnNode]
    """node -> what was done there"""
    missing: dict[Name, str]
    """node -> why it has no part in this; of one in `nodes` with something `taken`: why that was not all pulled"""
    held: tuple[Name, ...]
    """nodes that may still carry its holds"""
    closed: int
    """when it was closed or ended; 0: it is not"""
    outcome: Literal["", "ok", "failed"]
    """how it went, as told by who closed it"""
    told: Literal["", "open", "closed", "expired", "failed"]
    """the last state that people were told of"""


class ListedSignal(SignalFile):
    """A signal, as in the document `signal`."""


class SignalList(Model):
    """Signals, oldest first."""

    format: Literal[1]
    """of this document"""
    signals: tuple[ListedSignal, ...]
    """those that were asked for"""
