"""A verdict as data, and the few ways to refuse: never without the next command. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from blackstart.change import shell
from blackstart.spec.node import Pool
from blackstart.spec.resolve import NodeSpec
from blackstart.ssh import target

Kind = Literal["intact", "resuming", "importable", "blank", "new", "foreign", "superseded", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a node is, why, and what may be done. `refusal` (one sentence) always comes with `next_command`.

    `epoch`: the one the node has, or will have after the rebuild. `create`: pools to make, members replaced as in
    `disks` (recorded id -> replacement). `imports`: pool name -> guid to import.
    """

    node: str
    kind: Kind
    evidence: tuple[str, ...]
    refusal: str = ""
    next_command: str = ""
    epoch: int = 0
    create: dict[str, Pool] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


def bootstrap_command(node: str, **data: str) -> str:
    """The command a person goes on with, with `--data key=value` for each of `data`."""
    extra = [word for key, value in data.items() for word in ("--data", f"{key}={value}")]
    return shell("pyinfra", "inventory", "deploys/bootstrap.py", "--limit", node, *extra)


def refuse(spec: NodeSpec, kind: Kind, evidence: tuple[str, ...], why: str, then: str, epoch: int = 0) -> Verdict:
    """A verdict that forbids; `then` is the next command."""
    return Verdict(spec.name, kind, evidence or (why,), why, then, epoch)


def unknown(spec: NodeSpec, why: str) -> Verdict:
    """Something that matters could not be read."""
    return refuse(spec, "unknown", (), why, shell("blackstart", "why", spec.name))


def look(spec: NodeSpec, *command: str) -> str:
    """The line with which a person looks at the host."""
    user, host, port = target(spec.node)
    where = f"{user}@{host}" if user else host
    return shell("ssh", *(["-p", str(port)] if port else []), where, *command)
