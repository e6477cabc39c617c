"""Several vaults keep a node, and one of them does not answer: what goes on, what is said, what heals later."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.exceptions import ConnectError
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import OTHER, live, node_spec, pool, rebuild, record

from blackstart.converge.wanted import Wanted
from blackstart.reading import Present, Unknown
from blackstart.restore.keeper import choose, doubts
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.lock import LockError, Taken
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from blackstart.vault.store import patched
from facts.record import VaultKeys
from operations import held, lock, vault_shell, verdict
from operations import live as live_operations
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
        return not self.broken, SimpleNamespace(stderr=self.broken)


KEPT: tuple[Any, ...] = (
    live_operations._kept,
    record_operations._kept,
    record_operations._keys,
    record_operations._away,
    record_operations._met,
    verdict._said,
    held.locks,
)


class World:
    def __init__(self, **vaults: VaultReading) -> None:
        self.node = Node()
        self.vaults = {name: Vault(name, reading) for name, reading in vaults.items()}

    def run(self, operation: Any, **arguments: Any) -> list[Any]:
        inventory = SimpleNamespace(get_host=lambda name: self.vaults[name])
        state = SimpleNamespace(is_executing=True, inventory=inventory)
        with ctx_state.use(state), ctx_host.use(self.node):  # type: ignore[arg-type]
            return list(operation._inner(**arguments))

    def record(self) -> list[Any]:
        arguments = {"wanted": Wanted(), "spec": spec(), "commit": "abc123", "by": "ops"}
        return self.run(record_operations.recorded, **arguments)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    for kept in KEPT:
        kept.clear()
    yield
    for kept in KEPT:
        kept.clear()


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> dict[str, LockError | None]:
    """Vault -> what taking a lock there ends with."""
    ends: dict[str, LockError | None] = {}

    def take(vault: Any, node: str, line: str) -> Any:
        error = ends.get(vault.name)
        if error:
            raise error
        return SimpleNamespace(release=lambda: None, lost="")

    monkeypatch.setattr(lock, "take", take)
    return ends


def locked(world: World) -> list[Any]:
    return world.run(lock.locked, spec=spec(), who="ops", commit="abc", what="site.py")


def test_the_lock_is_taken_on_every_vault_that_answers_and_a_silent_one_is_named(locks: Any) -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    assert locked(world) == [] and set(held.locks) == {("node1", "vault1")}
    (line,) = world.node.said
    assert "its lock on vault2 could not be taken: no route to host" in line
    assert "a run that reaches only vault2 would not see this one" in line


def test_the_vault_whose_word_counts_must_give_its_lock(locks: Any) -> None:
    locks["vault1"] = LockError("node1: its lock on vault1 could not be taken: no answer in time")
    (refused,) = locked(World(vault1=knows(record(epoch=2)), vault2=knows(record())))
    assert "its lock on vault1" in refused and not held.locks


def test_somebody_at_work_on_any_vault_is_in_the_way(locks: Any) -> None:
    locks["vault2"] = Taken("node1: somebody else works on it: kim@desk")
    (refused,) = locked(World(vault1=knows(record(epoch=2)), vault2=knows(record())))
    assert "kim@desk" in refused and not held.locks


def test_with_no_record_anywhere_every_vault_must_be_asked(locks: Any) -> None:
    (refused,) = locked(World(vault1=knows(None), vault2=SILENT))
    assert "no route to host" in refused


def test_a_silent_vault_is_never_passed_over_without_a_word() -> None:
    readings = {"vault1": knows(record(epoch=3)), "vault2": SILENT}
    assert choose(readings, "node1")[0] == "vault1"
    (line,) = doubts(readings, "node1", "vault1")
    assert "vault vault2 is silent (no route to host)" in line and "an epoch above vault1's 3" in line
    assert doubts({"vault1": knows(record())}, "node1", "vault1") == ()
    assert doubts({"vault1": knows(record(epoch=2)), "vault2": knows(record())}, "node1", "vault1") == ()


def test_one_epoch_given_twice_is_told_by_the_pools_guid() -> None:
    known = record(epoch=2)
    other = replace(known, pools={"tank": replace(known.pools["tank"], guid=OTHER)})
    (line,) = doubts({"vault1": knows(known), "vault2": knows(other)}, "node1", "vault1")
    assert f"vault vault2 gives epoch 2 to another pool tank (guid {OTHER})" in line


def test_an_open_rebuild_is_gone_on_with_where_it_was_opened() -> None:
    readings = {"vault1": knows(record()), "vault0": knows(record(rebuild=rebuild()))}
    assert choose(readings, "node1")[0] == "vault0"


def test_the_guard_says_which_vault_is_silent() -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    world.run(verdict.may_apply, spec=spec(), wanted=Wanted(), enroll=False, disks={})
    assert any("vault vault2 is silent" in line for line in world.node.said)


def test_a_run_ends_well_when_the_vault_that_counts_has_written_it_down() -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    assert [command.args[0] for command in world.record()] == ["vault1"]  # the spec has two vaults since
    (line,) = world.node.said
    assert "vault vault2 did not learn of this run (no route to host)" in line


def test_with_no_vault_that_answers_nothing_is_recorded() -> None:
    first, second = World(vault1=SILENT, vault2=SILENT).record()
    assert "not recorded on vault vault1: no route to host" in first and "vault2" in second


@pytest.mark.parametrize(("name", "ends"), [("vault1", False), ("vault2", True)])
def test_only_the_vault_that_counts_can_make_a_run_fail(name: str, ends: bool) -> None:
    world = World(vault1=knows(replace(record(epoch=2), applied=None)), vault2=knows(record()))
    world.vaults[name].broken = "No space left on device"
    commands = {command.args[0]: command for command in world.record()}
    with ctx_state.use(SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=world.vaults.get))):  # type: ignore[arg-type]
        command = commands[name]
        assert command.function(SimpleNamespace(), world.node, *command.args) is ends
    assert any("No space left" in line for line in world.node.said)


def test_a_vault_that_comes_back_learns_epoch_and_record_and_closes_what_it_had_open() -> None:
    now = record(epoch=2)
    now = replace(now, pools={"tank": replace(now.pools["tank"], guid=OTHER)})
    before = record(rebuild=rebuild(2, {"tank": "33"}))
    world = World(vault1=knows(now), vault2=knows(before))
    world.node.get_fact = lambda fact, **more: live(pools=(pool(OTHER, 2),))  # type: ignore[method-assign]
    patch = {command.args[0]: json.loads(command.args[2])["patch"] for command in world.record()}["vault2"]
    healed = patched("node1", before, patch)
    assert (healed.epoch, healed.pools["tank"].guid, healed.rebuild) == (2, OTHER, None)
    assert doubts({"vault1": knows(now), "vault2": knows(healed)}, "node1", "vault1") == ()


def test_a_silent_vaults_keys_are_remembered_so_that_a_rebuilt_node_lets_every_vault_in(locks: Any) -> None:
    keys = {"vault1": {"replicate": "ssh-ed25519 ONE"}, "vault2": {"replicate": "ssh-ed25519 TWO"}}
    both = {name: replace(knows(replace(record(), applied=None)), keys=Present(key)) for name, key in keys.items()}
    patch = json.loads(World(**both).record()[0].args[2])["patch"]
    after = patched("node1", record(), patch)
    assert after.vault_keys == keys
    record_operations._kept.clear()
    world = World(vault1=replace(knows(after), keys=Present(keys["vault1"])), vault2=SILENT)
    assert world.run(
        SimpleNamespace(_inner=lambda spec: [record_operations.vault_keys(spec, tuple(spec.vaults))]), spec=spec()
    ) == [keys]


def test_a_vault_that_never_answered_is_not_tried_for_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    class Gone:
        connected = False

        def connect(self, raise_exceptions: bool) -> None:
            tried.append("vault2")
            raise ConnectError("no route to host")

    state = SimpleNamespace(inventory=SimpleNamespace(get_host=lambda name: Gone()))
    with ctx_state.use(state):  # type: ignore[arg-type]
        assert [record_operations.vault_host("vault2") for _ in range(3)] == [None] * 3
        assert tried == ["vault2"]
        record_operations._away.clear()
        record_operations._met.add("vault2")  # it answered before: it may come back at any moment
        assert [record_operations.vault_host("vault2") for _ in range(3)] == [None] * 3
    assert len(tried) == 4


def test_what_cannot_be_read_is_silent_too() -> None:
    torn = replace(SILENT, records=Present({"node1": Unknown("not a record")}))
    (line,) = doubts({"vault1": knows(record()), "vault2": torn}, "node1", "vault1")
    assert "not a record" in line


def test_a_lock_that_is_lost_keeps_every_command_reading_and_file_from_the_host(locks: Any) -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    locked(world)
    host = world.node.connector
    assert host.run_shell_command("uptime")[0] and host.put_file("/etc/x")
    held.locks["node1", "vault1"].lock.lost = "its lock on vault1 was lost (the vault does not answer)"
    status, said = host.run_shell_command("rm")
    assert not status and said.stderr.startswith("node1: its lock on vault1 was lost (the vault does not answer):")
    assert "nothing more is done; run the same command again, it goes on" in said.stderr
    with pytest.raises(OSError, match="its lock on vault1 was lost"):
        host.put_file("/etc/y")
    assert host.ran == ["uptime", "/etc/x"]


def test_with_a_lost_lock_no_vault_is_told_anything(locks: Any) -> None:
    world = World(vault1=knows(replace(record(), applied=None)), vault2=SILENT)
    locked(world)
    (command,) = world.record()
    held.locks["node1", "vault1"].lock.lost = "its lock on vault1 was lost (x)"
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=world.vaults.get))
    with ctx_state.use(state), ctx_host.use(world.node):  # type: ignore[arg-type]
        assert command.function(state, world.node, *command.args) is False
        with pytest.raises(vault_shell.ShellError, match="was lost"):
            vault_shell.on_vault("vault1", "true")
    assert world.vaults["vault1"].written == []


def test_the_lost_lock_of_another_vault_is_said_once_and_the_run_goes_on(locks: Any) -> None:
    world = World(vault1=knows(record(epoch=2)), vault2=knows(record()))
    locked(world)
    held.locks["node1", "vault2"].lock.lost = "its lock on vault2 was lost (x)"
    with ctx_host.use(world.node):  # type: ignore[arg-type]
        for _ in range(2):
            assert world.node.connector.run_shell_command("uptime")[0]
    assert [line for line in world.node.said if "its lock on vault2 was lost" in line] == world.node.said[:1]


def test_after_letting_go_nothing_is_fenced(locks: Any) -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    locked(world)
    held.locks["node1", "vault1"].lock.lost = "gone"
    world.run(lock.released, spec=spec())
    assert world.node.connector.run_shell_command("uptime")[0]
