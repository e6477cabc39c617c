"""What ran on a node when a signal said that it will break: kept as long as its snapshots, then gone."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from signal_world import WILL, World, raised

from blackstart.signal.captures import DAY, Captures
from blackstart.signal.channel import Silent
from blackstart.signal.config import Grant
from blackstart.signal.model import OnNode, Signal
from blackstart.signal.service import Service


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def captures(world: World) -> list[str]:
    return sorted(path.parent.parent.name for path in world.live.glob("*/now/signal-*.reading"))


def test_it_is_kept_as_it_came(tmp_path: Path) -> None:
    (tmp_path / "node1/now").mkdir(parents=True)
    path = asyncio.run(Captures(tmp_path, {}).keep("node1", "0" * 16, b"BEGIN\n\xff\n"))
    assert Path(path).read_text() == "BEGIN\n\\xff\n" and Path(path).parent == tmp_path / "node1/now"


def test_of_a_signal_that_came_to_nothing_none_stays(world: World) -> None:
    async def pull(node: str, on: OnNode) -> set[str]:
        assert captures(world) == ["node1", "node2"]
        raise Silent("no route")

    world.pulls = pull
    assert "not pulled" in raised(lambda: world.open(WILL))
    assert captures(world) == []


def test_it_stays_as_long_as_its_node_keeps_snapshots_after_the_signal(world: World) -> None:
    world.config.nodes["node2"] = Grant(("files",), ("tank/data/notes",), days=1)
    signal = world.open(WILL)
    (world.live / "node1/now/signal-x.reading").touch()  # of nobody

    asked = world.now

    def after(days: float) -> list[str]:
        """What is there so long after it was asked for."""
        world.now = asked + days * DAY
        world.run(lambda service: service.sweep())
        return captures(world)

    assert after(0.01) == ["node1", "node1", "node2"]
    world.now = asked
    world.run(lambda service: service.close(signal.token, "ok", "ann"))
    assert after(0.9) == ["node1", "node1", "node2"]
    assert after(1) == ["node1", "node1"] and after(14) == ["node1"]


def test_one_whose_signal_nobody_knows_goes_by_its_own_age(tmp_path: Path) -> None:
    path = tmp_path / "gone/now" / f"signal-{'0' * 16}.reading"
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, (0, 1000))
    kept = Captures(tmp_path, {"node1": Grant(days=2)})

    asyncio.run(kept.sweep(lambda token: None, 999 + 2 * DAY))
    assert path.exists()
    asyncio.run(kept.sweep(lambda token: None, 1000 + 2 * DAY))
    assert not path.exists()


def test_nothing_goes_while_of_no_node_it_is_known_how_long(tmp_path: Path) -> None:
    path = tmp_path / "node1/now" / f"signal-{'0' * 16}.reading"
    path.parent.mkdir(parents=True)
    path.touch()
    asyncio.run(Captures(tmp_path, {}).sweep(lambda token: None, 2**40))
    assert path.exists()


def test_why_it_is_not_the_nodes_newest_reading_is_told_in_the_answer(world: World) -> None:
    world.unlearned = "what ran there did not become its state.json: this is no reading"
    signal = world.open(replace(WILL, scope="node:node1"))
    assert signal.state == "open" and signal.nodes["node1"].notes == (world.unlearned,)
    assert signal.nodes["node1"].pulled


def test_readings_are_understood_once_all_is_loud_again(world: World) -> None:
    async def work(service: Service) -> Signal:
        inner = service.vault.learn

        async def learn(node: str, capture: str) -> str:
            assert not list((world.hosts[node].folder / "quiet").glob("*"))
            return await inner(node, capture)

        object.__setattr__(service.vault, "learn", learn)
        return (await service.open(WILL, "ann"))[0]

    assert world.run(work).state == "open" and set(world.learned) == {"node1", "node2"}
