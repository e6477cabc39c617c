"""What a signal asks for, and what that means for each node. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from blackstart.signal.config import Grant

Severity = Literal["may-break", "will-break"]
Outcome = Literal["ok", "failed"]

LIFETIME = 3600  # seconds that a signal stays open where nobody says otherwise
DEADLINE = 60  # seconds that quieting and looking at all nodes may take together
_NAME = r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?"
SCOPE = rf"fleet|(node|container):{_NAME}"
# It becomes one word of a line, and a property of each snapshot: no tab, no line break.
TEXT = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*"


class Refused(Exception):
    """A signal that is not given, with the reason in one sentence. `kind` says whose turn it is.

    `unknown`: what was named is not there. `conflict`: not as things stand. `unable`: this vault or a node cannot.
    """

    def __init__(self, kind: Literal["unknown", "conflict", "unable"], why: str) -> None:
        super().__init__(why)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Asked:
    """`lifetime`, `deadline`: seconds. `without`: go on where a node does not answer, and name it.

    `by`: who says so, for people. `key`: the same one twice is the same signal.
    """

    scope: str
    severity: Severity
    reason: str
    by: str = ""
    lifetime: int = LIFETIME
    deadline: int = DEADLINE
    without: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(SCOPE, self.scope):
            raise ValueError(f"{self.scope!r} is no scope: write container:NAME, node:NAME or fleet")
        for what, text in (("reason", self.reason), ("by", self.by), ("key", self.key)):
            if not re.fullmatch(TEXT, text):
                raise ValueError(f"the {what} has a line break or a control character in it")
        if not self.reason.strip():
            raise ValueError("say the reason: it is what people read afterwards")


def targets(scope: str, nodes: Mapping[str, Grant], allowed: str = "") -> dict[str, str]:
    """Node -> the word its gate knows the scope by: `node`, or a container's name behind `container:`.

    `nodes`: those that this vault may signal. `allowed`: the one node that the asker may name, "" for any.
    Raises Refused.
    """
    kind, _, name = scope.partition(":")
    if kind == "fleet":
        found = dict.fromkeys(nodes, "node")
    elif kind == "node":
        found = {name: "node"} if name in nodes else {}
    else:
        found = {node: scope for node, grant in nodes.items() if name in grant.containers}
    if not found:
        raise Refused("unknown", f"{scope}: this vault keeps none such; blackstart spec show has the names")
    if allowed and set(found) != {allowed}:
        raise Refused("conflict", f"{scope}: this token is of {allowed} and opens no signal beyond it")
    return found
