"""A node and the vaults that keep it, each with a reading of its own; operations run over them."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from node_world import texts
from pyinfra.context import ctx_host, ctx_state
from rebuild_world import live, node_spec, pool

from blackstart.converge.wanted import Wanted
from blackstart.reading import Present
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from facts.record import VaultKeys
from operations import record as record_operations

SILENT = unknown("no route to host")


def knows(known: Record | None) -> VaultReading:
    return replace(SILENT, records=Present({"node1": Present(known)} if known else {}))


def spec() -> NodeSpec:
    made = node_spec()
    return made.model_copy(update={"vaults": dict.fromkeys(("vault1", "vault2"), made.vaults["vault1"])})


class Connector:
    """What is used of pyinfra's; `ran`: what came through to the host."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run_shell_command(self, command: str, **more: Any) -> tuple[bool, Any]:
        self.ran.append(command)
        return True, None

    def put_file(self, name: str) -> bool:
        self.ran.append(name)
        return True


class Node:
    name = "node1"
    data: dict[str, Any] = {}

    def __init__(self) -> None:
        self.said: list[str] = []
        self.connector = Connector()

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        return live(pools=(pool(),))

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)


class Vault:
    """`broken`: why its store does not write."""

    connected, data = True, {"_sudo": False}

    def __init__(self, name: str, reading: VaultReading, broken: str = "") -> None:
        self.name, self.reading, self.broken = name, reading, broken
        self.written: list[dict[str, Any]] = []

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        return self.reading.keys if fact is VaultKeys else self.reading

    def run_shell_command(self, command: Any, _stdin: str = "", **more: Any) -> tuple[bool, Any]:
        self.written.append(json.loads(_stdin))
        return not self.broken, SimpleNamespace(stdout="", stderr=self.broken)


class World:
    def __init__(self, **vaults: VaultReading) -> None:
        self.node = Node()
        self.vaults = {name: Vault(name, reading) for name, reading in vaults.items()}

    def run(self, operation: Any, **arguments: Any) -> list[Any]:
        inventory = SimpleNamespace(get_host=lambda name: self.vaults[name])
        state = SimpleNamespace(is_executing=True, inventory=inventory)
        with ctx_state.use(state), ctx_host.use(self.node):
            return texts(operation._inner(**arguments))

    def record(self) -> list[Any]:
        arguments = {"wanted": Wanted(), "spec": spec(), "commit": "abc123", "by": "ops"}
        return self.run(record_operations.recorded, **arguments)
