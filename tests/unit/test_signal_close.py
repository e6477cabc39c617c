"""What becomes of a signal that was given: closed, expired, and what a restart finds of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from signal_world import MAY, WILL, World, raised, until

from blackstart.signal import service
from blackstart.signal.asked import Outcome
from blackstart.signal.journal import Journal, protected
from blackstart.signal.model import OnNode, Signal, dump
from blackstart.signal.nodes import Nodes
from blackstart.signal.service import Service


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def close(world: World, token: str, outcome: Outcome = "ok", who: str = "ann", any_of: bool = True) -> Signal:
    return world.run(lambda each: each.close(token, outcome, who, any_of))


def test_closing_lets_go_of_the_hold_and_is_said_once(world: World) -> None:
    signal = world.open(MAY)
    closed = close(world, signal.token)
    assert (closed.state, closed.outcome, closed.held) == ("closed", "ok", ())
    assert world.calls("zfs release") == [f"zfs release -r {signal.tag} tank@{signal.nodes['node1'].snapshot}"]
    assert close(world, signal.token) == closed and world.said == [("open", signal.token), ("closed", signal.token)]
    assert "was closed already, as ok" in raised(lambda: close(world, signal.token, "failed"))
    assert len(world.calls("zfs release")) == 1


def test_who_gave_it_closes_it_or_an_operator(world: World) -> None:
    signal = world.open(MAY)
    assert "was given by ann" in raised(lambda: close(world, signal.token, who="bob", any_of=False))
    assert close(world, signal.token, who="bob").state == "closed"


@pytest.mark.parametrize("token", ["", "x", "../../etc/passwd", "0123456789abcdef"])
def test_a_token_that_nobody_has_closes_nothing(world: World, token: str) -> None:
    assert raised(lambda: close(world, token)).startswith("unknown: no signal has the token")


def test_a_hold_that_cannot_be_let_go_now_is_let_go_later(world: World) -> None:
    signal = world.open(MAY)
    world.hosts["node1"].put("fail.release", "cannot release: I/O error\n")
    assert close(world, signal.token).held == ("node1",)
    (world.hosts["node1"].folder / "fail.release").unlink()

    async def work(each: Service) -> None:
        await each.let_go()

    world.run(work)
    assert world.stands()[0].held == ()


def test_what_is_open_is_open_after_a_restart_and_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TICK", 0.05)
    signal = world.open(replace(MAY, lifetime=60))

    async def wait(each: Service) -> Signal:
        await asyncio.sleep(0.3)
        return each.book.get(signal.token)

    async def end(each: Service) -> None:
        await until(lambda: each.book.get(signal.token).state != "open")
        await until(lambda: each.book.get(signal.token).held == () and len(world.said) == 2)

    assert world.run(wait).state == "open"
    world.now += 61
    world.run(end)
    (ended,) = world.stands()
    assert (ended.state, ended.held) == ("expired", ()) and world.said[-1] == ("expired", signal.token)
    assert "nobody closed it within its lifetime" in raised(lambda: close(world, signal.token))


def test_a_clock_that_jumps_ends_no_signal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TICK", 0.05)

    async def work(each: Service) -> str:
        signal, _ = await each.open(MAY, "ann")
        world.now += 10 * 86400
        await asyncio.sleep(0.3)
        return each.book.get(signal.token).state

    assert world.run(work) == "open"


def test_what_was_being_opened_when_the_service_died_is_undone(world: World) -> None:
    signal = world.open(MAY)
    half = replace(signal, token="f" * 16, state="opening", held=("node1",))
    Journal(world.folder).write(half)

    async def work(each: Service) -> None:
        await each.let_go()
        assert raised_by(each, half.token)

    def raised_by(each: Service, token: str) -> str:
        return raised(lambda: each.book.get(token))

    world.run(work)
    states = {each.token: (each.state, each.held) for each in world.stands()}
    assert states == {signal.token: ("open", ("node1",)), half.token: ("failed", ())}
    assert any(half.tag in line for line in world.calls("zfs release"))


def test_what_people_were_not_told_they_are_told_after_a_restart(world: World) -> None:
    journal = Journal(world.folder)
    states = {"open": "open", "closed": "closed", "expired": "expired", "opening": "failed"}
    given = world.open(MAY)
    for number, state in enumerate(states):
        signal = replace(given, token=f"{number:016x}", held=())
        journal.write(replace(signal, state=state, told="open" if state in ("closed", "expired") else ""))
    old = json.loads(dump(replace(signal, token="f" * 16, state="closed")))
    del old["told"]  # of a service of before
    with journal.path.open("a") as lines:
        lines.write(json.dumps(old) + "\n")
    world.said.clear()
    for _ in range(2):
        world.run(lambda each: asyncio.sleep(0))
        assert world.said == [(said, f"{number:016x}") for number, said in enumerate(states.values())]


def test_a_signal_that_is_closed_and_not_told_is_told_when_it_is_closed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = world.open(MAY)

    async def work(each: Service) -> Signal:
        say, tries = each._say, [1]

        async def full(signal: Signal) -> None:
            if tries:
                tries.pop()
                raise OSError(28, "No space left on device")
            await say(signal)

        monkeypatch.setattr(each, "_say", full)
        with pytest.raises(OSError):
            await each.close(signal.token, "ok", "ann")
        return await each.close(signal.token, "ok", "ann")

    assert world.run(work).told == "closed" and world.said == [("open", signal.token), ("closed", signal.token)]


def test_a_disk_that_is_full_does_not_keep_a_restart_from_undoing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = world.open(MAY)
    Journal(world.folder).write(replace(signal, token="f" * 16, state="opening"))

    def full(*words: object) -> None:
        raise OSError(28, "No space left on device")

    async def work(each: Service) -> None:
        await each.let_go()
        assert each.book.get(signal.token).state == "open"

    monkeypatch.setattr(Journal, "write", full)
    world.run(work)
    assert any("f" * 16 in line for line in world.calls("zfs release"))


def test_holds_that_nobody_knows_are_let_go_when_no_signal_could_be_open(world: World) -> None:
    old, young = "blackstart_2020-01-01T00:00:00Z", "blackstart_2026-11-22T01:43:00Z"
    lines = (f"tank@{old}\t1\tv1\t{'a' * 16}", f"tank@{young}\t1\tv1\t{'b' * 16}")
    world.hosts["node1"].put("snapshots.held", "".join(f"{line}\n" for line in lines))

    async def work(each: Service) -> None:
        await each._forgotten_on("node1")

    world.run(work)
    assert set(world.calls("zfs release")) == {f"zfs release -r blackstart-signal-{'a' * 16} tank@{old}"}


def test_a_dataset_younger_than_the_last_look_is_listed_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(each: Nodes) -> None:
        await asyncio.sleep(0)

    async def work(each: Service) -> tuple[Signal, Signal]:
        await each.nodes.look("node1")
        world.hosts["node1"].put("datasets", "tank\ntank/new\n")
        signal, _ = await each.open(MAY, "ann")
        await until(lambda: each.book.get(signal.token) != signal)
        return signal, each.book.get(signal.token)

    monkeypatch.setattr(Nodes, "look_at_all", nothing)
    world.hosts["node1"].put("datasets", "tank\n")
    found = [[each.dataset for each in signal.nodes["node1"].taken] for signal in world.run(work)]
    assert found == [["tank"], ["tank", "tank/new"]]


def test_pruning_on_the_vault_leaves_what_an_open_signal_needs(world: World) -> None:
    signal = world.open(MAY)
    assert protected(world.folder) == {each.guid for each in signal.nodes["node1"].taken}
    close(world, signal.token)
    assert protected(world.folder) == set() == protected(world.folder / "none")
    (world.folder / f"{'c' * 16}.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        protected(world.folder)


def test_a_line_that_was_cut_off_costs_no_other(world: World) -> None:
    signal = world.open(MAY)
    with (world.folder / "journal.jsonl").open("a") as file:
        file.write(dump(replace(signal, token="d" * 16))[:100])
    later = world.open(replace(MAY, reason="another"))
    assert {each.token for each in world.stands()} == {signal.token, later.token}


def test_a_file_that_is_behind_the_journal_is_made_anew(world: World) -> None:
    signal = world.open(MAY)
    path = world.folder / f"{signal.token}.json"
    path.write_text(dump(replace(signal, reason="older")))

    async def nothing(each: Service) -> None:
        await asyncio.sleep(0)

    world.run(nothing)
    assert path.read_text() == dump(signal)


def test_what_does_not_end_with_the_service_is_undone_before_it_ends(world: World) -> None:
    async def pull(node: str, on: OnNode) -> set[str]:
        await asyncio.sleep(3600)
        return set()

    async def life() -> None:
        each = world.service()
        await each.start()
        asking = asyncio.create_task(each.open(WILL, "ann"))
        await asyncio.wait_for(started.wait(), 60)
        await each.stop(5)
        await asyncio.gather(asking, return_exceptions=True)

    async def noted(node: str, on: OnNode) -> set[str]:
        started.set()
        return await pull(node, on)

    started = asyncio.Event()
    world.pulls = noted
    asyncio.run(life())
    (signal,) = world.stands()
    assert (signal.state, signal.held) == ("failed", ())
    assert len(world.calls("zfs release")) == 1 and not list(world.live.glob("*/now/signal-*"))
