"""A node and a vault that answer with given readings, and the operations behind bootstrap.py run over them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import NOW, OS_DISK, dataset, disk, node_spec
from test_restore_outline import replicas

from blackstart.change import shell
from blackstart.converge.wanted import Wanted, WantedPool
from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Reading
from blackstart.restore.job import Asks
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.lock import path, sign, who_has
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from facts.record import VaultRecords
from operations import bootstrap

THERE = tuple(dataset(name) for name in ("tank/data/crm", "tank/data/db", "tank/lxc/db"))
NEW_DISKS = (*OS_DISK, disk("ata-X", "sdb"), disk("ata-Y", "sdc"))


class Node:
    name = "node1"
    data: dict[str, Any] = {}

    def __init__(self, reading: Live) -> None:
        self.reading = reading
        self.said: list[str] = []

    def get_fact(self, fact: Any, **arguments: Any) -> Live:
        return self.reading

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)


class Vault:
    name, connected = "vault1", True
    data: dict[str, Any] = {}
    lock = ""  # what the file of a lock says that somebody holds
    sign = ""

    def __init__(self, reading: VaultReading) -> None:
        self.reading = reading

    def run_shell_command(self, command: Any, **arguments: Any) -> tuple[bool, Any]:
        answer = {who_has("node1"): self.lock, sign(shell(path("node1"))): self.sign}[str(command)]
        return True, SimpleNamespace(stdout=answer, stderr="")

    def get_fact(self, fact: Any, **arguments: Any) -> VaultReading:
        assert fact is VaultRecords and arguments == {"pool": "tank", "_ignore_errors": True}
        return self.reading


def vault(known: Reading[Record]) -> Vault:
    records: Any = (
        Present({"node1": known}) if isinstance(known, Present) else Present({}) if known == ABSENT else known
    )
    held = Present({"node1": replicas()})
    return Vault(replace(unknown("not asked"), records=records, replicas=held, clock=Present(NOW), keys=Present({})))


def wishes(spec: NodeSpec, epoch: int | None, folder: Path) -> Wanted:
    made = {
        n: WantedPool(spec.name, p.vdevs, p.ashift, p.properties, p.managed, epoch) for n, p in spec.node.pools.items()
    }
    return Wanted(pools=made)


WAYS = bootstrap.Ways(wishes, lambda job, made: None, Path("/nowhere"), "ops@laptop", "abc")


Go = Callable[..., tuple[list[Any], list[str]]]


def asked(go: Go, reading: Live, known: Reading[Record], **asks: Any) -> tuple[list[Any], list[str]]:
    return go(bootstrap.bootstrap, reading, known, node_spec(), Asks(**asks), WAYS)


def job(reading: Live, known: Record, go: Go, **asks: Any) -> Any:
    made: list[Any] = []

    class Ask:
        @staticmethod
        def _inner() -> list[Any]:
            made.append(bootstrap.job_of(node_spec(), Asks(**asks), WAYS)[0])
            return []

    go(Ask, reading, Present(known))
    return made[0]
