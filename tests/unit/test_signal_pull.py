"""A will-break signal's snapshots are pulled to the vault: what becomes of it where a node dies meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from signal_world import WILL, World, raised

from blackstart.signal import told
from blackstart.signal.channel import Silent
from blackstart.signal.model import OnNode, as_data
from blackstart.signal.steps import Unpulled


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_not_pulled_fails_the_signal_and_is_let_go(world: World) -> None:
    async def pull(node: str, on: OnNode) -> set[str]:
        raise Silent("the replication could not be started")

    world.pulls = pull
    said = raised(lambda: world.open(replace(WILL, scope="node:node1")))
    assert "node1: its snapshots were not pulled: the replication could not be started" in said
    assert world.stands()[0].state == "failed" and world.stands()[0].held == ()
    assert len(world.calls("zfs release")) == 1


def dies(world: World) -> None:
    """node2 does, once its snapshots are taken and none of them is on the vault."""

    async def pull(node: str, on: OnNode) -> set[str]:
        if node == "node1":
            return {each.guid for each in on.taken}
        world.lost.add(node)
        raise Unpulled("tank/data/notes: not here yet (no route to host)", set())

    world.pulls = pull


def test_the_others_go_on_without_a_node_that_dies_while_it_is_pulled(world: World) -> None:
    dies(world)
    signal = world.open(replace(WILL, without=True))
    assert signal.state == "open" and world.stands()[-1] == signal and set(signal.held) == {"node1", "node2"}
    assert signal.missing == {
        "node2": "it fell silent while its snapshots were pulled (ssh: no route to host): "
        "they are on the node, 0 of 1 on this vault"
    }
    on = signal.nodes["node2"]
    assert len(on.taken) == 5 and on.pulled == () and len(on.only_here) == 4 and len(signal.nodes["node1"].pulled) == 2
    said = "\n".join(told.lines(as_data(signal)))
    assert f"node2: 5 datasets at {on.snapshot} (0 are on the vault, 5 are on the node alone)\n" in said
    assert "\n  node2: it fell silent while its snapshots" in said and "no part" not in said
    assert world.calls("zfs release") == world.calls("zfs release", "node2") == []


def test_a_node_that_dies_while_it_is_pulled_fails_the_signal_unless_told_otherwise(world: World) -> None:
    dies(world)
    said = raised(lambda: world.open(WILL))
    assert said.startswith("unable: no signal was given: node2: it fell silent while its snapshots were pulled")
    assert said.endswith("(to go on without: --without-silent)")
    world.lost.clear()
    alone = replace(WILL, scope="node:node2", without=True)
    assert raised(lambda: world.open(alone)).endswith("on this vault")
    assert [each.state for each in world.stands()] == ["failed", "failed"] and world.said == []
    world.lost.clear()
    world.run(lambda service: service.let_go())
    assert {each.held for each in world.stands()} == {()}
    assert len(world.calls("zfs release")) == 1 and len(world.calls("zfs release", "node2")) == 2


def test_nobody_goes_on_without_a_node_that_is_up_and_not_pulled(world: World) -> None:
    async def pull(node: str, on: OnNode) -> set[str]:
        if node == "node2":
            raise Silent("the replication could not be started")
        return {each.guid for each in on.taken}

    world.pulls = pull
    said = raised(lambda: world.open(replace(WILL, without=True)))
    assert "node2: its snapshots were not pulled: the replication could not be started" in said
    assert world.stands()[-1].state == "failed"
