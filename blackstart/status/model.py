"""How the fleet is, as one vault sees it: what the table, the page and `status --json` show. Plain data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from blackstart.status.heard import Heard
from blackstart.status.told import OpenSignal, Played, Proven
from blackstart.vault.freshness import Age

FORMAT = 1
Runs = Literal["runs", "stopped", "missing", "unmanaged", "unknown"]


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """`state`: `runs`; `stopped`, and nobody wants it started alone; `missing`: it is to run, and does not;
    `unmanaged`: it runs, and no spec has it; `unknown`: the node has not been heard of for too long, or could not read
    it. `services`: systemd units with processes in it.
    """

    name: str
    state: Runs
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node. None where something is not known; `why` holds one sentence on each thing that could not be read."""

    node: str
    heard: Heard
    received: int | None  # seconds since 1970, by the vault's clock
    age: int | None  # seconds
    epoch: int | None
    uptime: float | None
    load: float | None
    memory_total: int | None
    memory_available: int | None
    pools: dict[str, str | None] | None
    containers: tuple[ContainerStatus, ...]
    replicas: tuple[Age, ...]
    rpo: int | None
    proven: Proven | None
    drill: Played | None = None
    why: tuple[str, ...] = ()

    @property
    def late_replicas(self) -> tuple[Age, ...]:
        """Those that do not keep the accepted loss."""
        return tuple(each for each in self.replicas if each.state != "fresh")

    @property
    def troubled(self) -> bool:
        """Whether somebody should look at it."""
        sick = any(health != "ONLINE" for health in (self.pools or {}).values())
        gone = any(each.state == "missing" for each in self.containers)
        failed = self.drill is not None and self.drill.verdict == "failed"
        return self.heard != "fresh" or bool(self.late_replicas) or sick or gone or failed or bool(self.why)


@dataclass(frozen=True, slots=True)
class Status:
    """What vault `vault` knows at `at` (seconds since 1970, its clock). `clashes`, `why`: one sentence each."""

    vault: str
    at: int
    nodes: tuple[NodeStatus, ...]
    signals: tuple[OpenSignal, ...]
    clashes: tuple[str, ...]
    why: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all is well, 2 something is too old, not there or in each other's way, 3 something could not be read."""
        unread = any(each.heard == "unknown" or each.why for each in self.nodes)
        if self.why or unread or not self.nodes:
            return 3
        return 2 if self.clashes or any(each.troubled for each in self.nodes) else 0


def document(status: Status) -> dict[str, Any]:
    """Format 1 of `status --json`."""
    return {"format": FORMAT} | asdict(status)


def load(text: str) -> Status:
    """Read `document`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError("it is of another version of the tool")
        lists = {name: tuple(data[name]) for name in ("clashes", "why")}
        signals = tuple(OpenSignal(**each) for each in data["signals"])
        return Status(**data | lists | {"nodes": tuple(_node(each) for each in data["nodes"]), "signals": signals})
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a status: {error!r}") from error


def _node(data: dict[str, Any]) -> NodeStatus:
    containers = (ContainerStatus(**each | {"services": tuple(each["services"])}) for each in data["containers"])
    return NodeStatus(
        **data
        | {
            "containers": tuple(containers),
            "replicas": tuple(Age(**each) for each in data["replicas"]),
            "proven": Proven(**data["proven"]) if data["proven"] else None,
            "drill": _drill(data.get("drill")),
            "why": tuple(data["why"]),
        }
    )


def _drill(data: dict[str, Any] | None) -> Played | None:
    return Played(**data | {"why": tuple(data["why"])}) if data else None
