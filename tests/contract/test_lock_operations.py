"""The node's lock on each of its vaults: whose must be given, and what a lost one keeps from happening."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state
from rebuild_world import record
from vaults_world import SILENT, World, knows, spec

from blackstart.vault.lock import LockError, Taken
from operations import held, lock, vault_shell


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
    with ctx_state.use(state), ctx_host.use(world.node):
        assert command.function(state, world.node, *command.args) is False
        with pytest.raises(vault_shell.ShellError, match="was lost"):
            vault_shell.on_vault("vault1", "true")
    assert world.vaults["vault1"].written == []


def test_the_lost_lock_of_another_vault_is_said_once_and_the_run_goes_on(locks: Any) -> None:
    world = World(vault1=knows(record(epoch=2)), vault2=knows(record()))
    locked(world)
    held.locks["node1", "vault2"].lock.lost = "its lock on vault2 was lost (x)"
    with ctx_host.use(world.node):
        for _ in range(2):
            assert world.node.connector.run_shell_command("uptime")[0]
    assert [line for line in world.node.said if "its lock on vault2 was lost" in line] == world.node.said[:1]


def test_after_letting_go_nothing_is_fenced(locks: Any) -> None:
    world = World(vault1=knows(record()), vault2=SILENT)
    locked(world)
    held.locks["node1", "vault1"].lock.lost = "gone"
    world.run(lock.released, spec=spec())
    assert world.node.connector.run_shell_command("uptime")[0]
