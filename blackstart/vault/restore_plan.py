"""What the restore program on a vault is told to do: a plan as JSON. Written by the controller, read on the vault."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FORMAT = 1

# Beside the plan: the controller has laid down all that containers need of the host.
HOST_READY = "host-ready"

# An older snapshot of a living dataset is found on it too: its guid alone does not tell that it was restored.
RESTORED = "blackstart:restored"


@dataclass(frozen=True, slots=True)
class Target:
    """How the vault reaches the node: as user bs-restore, by the host key that the operator gave."""

    host: str
    port: int
    host_key: str


@dataclass(frozen=True, slots=True)
class Item:
    """One dataset. `source`: the replica on the vault; `landing`: where it is received, `<pool>/.restore/...`.

    `creation`: when the snapshot was taken, by a vault's clock. `bytes`: what the stream is expected to carry. `step`:
    the cut-over script on the node. `mark`: what the dataset says of itself once it was restored by this plan, or by a
    killed run of the same (user property RESTORED).
    """

    dataset: str
    source: str
    snapshot: str
    guid: str
    creation: int
    bytes: int
    landing: str
    step: str
    abort: str  # the script that gives up a receive whose snapshot is gone
    mark: str


@dataclass(frozen=True, slots=True)
class Start:
    """A container: started when its datasets are in place and the containers in `after` answered their probes."""

    container: str
    step: str
    datasets: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole restore. `commit`: what the record becomes when all is there (None: restoring single datasets).

    `seal`: the script that ends the node's part; `revoke`: the one that takes back what the vault was granted.
    `awaits_host`: no container starts before HOST_READY lies in the node's folder.
    """

    node: str
    epoch: int
    created: int
    by: str
    target: Target
    items: tuple[Item, ...]
    starts: tuple[Start, ...]
    seal: str = "seal"
    revoke: str = "revoke"
    awaits_host: bool = False
    commit: dict[str, Any] | None = None  # {"host_key": ..., "pools": {name: {guid, size, members}}, "applied": ...}
    details: dict[str, Any] = field(default_factory=dict)  # for the journal: at, disks, what does not come back
    format: int = FORMAT


def dump(plan: Plan) -> str:
    return json.dumps(asdict(plan), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Plan:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        data["target"] = Target(**data["target"])
        data["items"] = tuple(Item(**item) for item in data["items"])
        data["starts"] = tuple(
            Start(s["container"], s["step"], tuple(s["datasets"]), tuple(s["after"])) for s in data["starts"]
        )
        return Plan(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a restore plan: {error!r}") from error


Phase = Literal["waiting", "receiving", "cutover", "done", "failed"]


@dataclass
class Progress:
    """How one dataset stands: for the status file and for people. Seconds by the vault's clock."""

    dataset: str
    snapshot: str
    bytes: int
    phase: Phase = "waiting"
    sent: int = 0
    seconds: dict[str, float] = field(default_factory=dict)  # phase -> how long
