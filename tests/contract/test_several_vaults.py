"""Several vaults keep a node, and one of them does not answer: what goes on, what is said, what heals later."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pyinfra.api.exceptions import ConnectError
from pyinfra.context import ctx_state
from rebuild_world import OTHER, live, pool, rebuild, record
from vaults_world import SILENT, World, knows, spec

from blackstart.converge.wanted import Wanted
from blackstart.reading import Present, Unknown
from blackstart.restore.keeper import choose, doubts
from blackstart.vault.store import patched
from operations import lineage, returned, verdict
from operations import record as record_operations


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
    world.run(verdict.may_apply, spec=spec(), wanted=Wanted(), enroll=False, disks={}, nodes={})
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
    with ctx_state.use(SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=world.vaults.get))):
        command = commands[name]
        assert command.function(SimpleNamespace(), world.node, *command.args) is ends
    assert any("No space left" in line for line in world.node.said)


def test_a_vault_that_comes_back_learns_epoch_and_record_and_closes_what_it_had_open() -> None:
    now = record(epoch=2)
    now = replace(now, pools={"tank": replace(now.pools["tank"], guid=OTHER)})
    before = record(rebuild=rebuild(2, {"tank": "33"}))
    world = World(vault1=knows(now), vault2=knows(before))
    world.node.get_fact = lambda fact, **more: live(pools=(pool(OTHER, 2),))
    patch = {command.args[0]: json.loads(command.args[2])["patch"] for command in world.record()}["vault2"]
    healed = patched("node1", before, patch)
    assert (healed.epoch, healed.pools["tank"].guid, healed.rebuild) == (2, OTHER, None)
    assert doubts({"vault1": knows(now), "vault2": knows(healed)}, "node1", "vault1") == ()


def test_a_vault_whose_ended_chains_are_not_put_aside_does_not_learn_the_epoch_and_the_next_run_finds_it() -> None:
    now = record(epoch=2)
    world = World(vault1=knows(replace(now, applied=None)), vault2=knows(record()))
    world.node.get_fact = lambda fact, **more: live(pools=(pool(epoch=2),))
    job = SimpleNamespace(spec=spec(), working=spec(), verdict=SimpleNamespace(epoch=2))
    healed = {"wanted": Wanted(), "spec": spec()}
    assert world.run(lineage.healed, **healed) == []  # neither its replicas nor the node's snapshots could be read
    assert "whether its replicas on vault2 go on could not be read: no route to host" in world.node.said[-1]
    assert [command.args[0] for command in world.record()] == ["vault1"]
    assert "what ended there while it was away is not put aside yet" in world.node.said[-1]
    assert world.run(returned.epoch, job=job) == []
    world.vaults["vault2"].reading = replace(knows(record()), replicas=Present({}))
    record_operations._kept.clear()
    assert world.run(lineage.healed, **healed) == []
    assert [command.args[0] for command in world.record()] == ["vault1", "vault2"]
    assert [command.args[0] for command in world.run(returned.epoch, job=job)] == ["vault2"]


def test_a_vault_that_answers_after_it_was_judged_is_left_to_the_next_run() -> None:
    world = World(vault1=knows(record(epoch=2)), vault2=SILENT)
    world.node.get_fact = lambda fact, **more: live(pools=(pool(epoch=2),))
    world.run(lineage.healed, wanted=Wanted(), spec=spec())
    world.vaults["vault2"].reading = knows(record())
    record_operations._kept.clear()
    assert "vault2" not in [command.args[0] for command in world.record()]


def test_of_several_hosts_that_find_a_vaults_connection_broken_one_makes_the_new_one() -> None:
    made: list[str] = []

    class Broken:
        name, connected = "vault1", True
        connector = SimpleNamespace(client=SimpleNamespace(get_transport=lambda: SimpleNamespace(is_active=is_active)))

        def disconnect(self) -> None:
            self.connected = False

        def connect(self, raise_exceptions: bool) -> None:
            made.append("connection")
            time.sleep(0.1)  # the others come meanwhile
            self.connected = True

    def is_active() -> bool:
        return bool(made)

    vault = Broken()
    state = SimpleNamespace(inventory=SimpleNamespace(get_host=lambda name: vault))
    with ctx_state.use(state), ThreadPoolExecutor() as hosts:
        assert list(hosts.map(record_operations.vault_host, ["vault1"] * 4)) == [vault] * 4
    assert made == ["connection"]


def test_a_silent_vaults_keys_are_remembered_so_that_a_rebuilt_node_lets_every_vault_in() -> None:
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
    with ctx_state.use(state):
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
