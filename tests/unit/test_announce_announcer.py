"""Nobody is forgotten: a place that fails is tried again, one that hangs holds up nobody, a restart goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from blackstart.announce import announcer as module
from blackstart.announce import send
from blackstart.announce.announcer import Announcer
from blackstart.serve.events import Events, New

HARM = {"severity": "will-break"}


class World:
    """`taken`: (URL, text of the event). A URL in `broken` takes nothing, one in `hanging` never answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = Events(folder / "events.jsonl")
        self.file = folder / "announce"
        self.taken: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        self.hanging: set[str] = set()
        self.tries = 0

    async def send(self, url: str, title: str, text: str) -> None:
        self.tries += 1
        if url in self.hanging:
            await asyncio.sleep(3600)
        if url in self.broken:
            raise send.AnnounceError(f"{send.name(url)} was not taken")
        self.taken += [(url, line.partition(": ")[2]) for line in text.splitlines()[:-1]]

    async def running(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        announcer = Announcer("vault1", self.events, self.file, self.folder / "memory.json", self.send, tick=0.01)
        task = asyncio.create_task(announcer.run())
        try:
            await self.until(lambda: bool(self.events._bells))  # it knows the places, and follows
            await act()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, (self.taken, self.tries)
            await asyncio.sleep(0.01)

    def logged(self) -> list[str]:
        return [each.text for each in self.events.after(0) if each.kind == "announce"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "FIRST", 0.01)
    return World(tmp_path)


def test_a_place_hears_what_it_is_to_hear(world: World) -> None:
    world.file.write_text("json://all\nwill-break=json://harm\nsilent=json://quiet\n")

    async def act() -> None:
        world.events.add("signal", "node1", "an upgrade", HARM)
        world.events.add("signal", "node1", "a reload", {"severity": "may-break"})
        world.events.add("service", "", "no severity: nobody is told")
        await world.until(lambda: len(world.taken) == 3)

    asyncio.run(world.running(act))
    assert sorted(world.taken) == [
        ("json://all", "a reload"),
        ("json://all", "an upgrade"),
        ("json://harm", "an upgrade"),
    ]


def test_a_place_that_hangs_or_fails_holds_up_nobody(world: World) -> None:
    world.file.write_text("json://a\njson://b\njson://c\n")
    world.hanging, world.broken = {"json://a"}, {"json://b"}

    async def act() -> None:
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: len(world.taken) == 1 and bool(world.logged()))
        world.events.add("signal", "", "two", HARM)
        await world.until(lambda: len(world.taken) == 2 and world.tries > 6)
        world.broken = set()
        await world.until(lambda: len(world.taken) == 4 and len(world.logged()) == 2)

    asyncio.run(world.running(act))
    assert [text for url, text in world.taken if url == "json://b"] == ["one", "two"]
    place = send.name("json://b")
    assert world.logged() == [
        f"{place} was not taken; it is tried again until it is",
        f"the place {place} takes announcements again",
    ]


def test_a_restart_tells_what_was_not_told_and_nothing_twice(world: World) -> None:
    world.file.write_text("json://a\njson://b\n")
    world.broken = {"json://b"}

    async def first() -> None:
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: len(world.taken) == 1 and bool(world.logged()))

    async def second() -> None:
        await world.until(lambda: len(world.taken) == 4)

    asyncio.run(world.running(first))
    world.broken = set()
    world.events.add("signal", "", "while it was down", HARM)
    asyncio.run(world.running(second))
    assert sorted(world.taken) == [
        ("json://a", "one"),
        ("json://a", "while it was down"),
        ("json://b", "one"),
        ("json://b", "while it was down"),
    ]


def test_what_a_place_missed_is_not_lost_among_what_nobody_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who was away for long is sent the newest events alone."""
    monkeypatch.setattr("blackstart.serve.events.MOST", 5)
    monkeypatch.setattr("blackstart.serve.events.RECENT", 5)
    world.file.write_text("json://a\n")
    world.broken = {"json://a"}

    async def first() -> None:
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: bool(world.logged()))

    async def second() -> None:
        await world.until(lambda: len(world.taken) == 1)

    asyncio.run(world.running(first))
    world.events.add_all(New("heartbeat", "node1", "x") for _ in range(50))
    world.broken = set()
    world.events = Events(world.events.path)
    asyncio.run(world.running(second))
    assert world.taken == [("json://a", "one")]


def test_what_is_still_to_be_told_is_known(world: World) -> None:
    world.file.write_text("json://a\n")
    world.broken = {"json://a"}
    announcer = Announcer("vault1", world.events, world.file, world.folder / "memory.json", world.send, tick=0.01)
    assert announcer.untold() == 1  # nothing is known yet

    async def act() -> None:
        task = asyncio.create_task(announcer.run())
        await world.until(lambda: bool(world.events._bells))
        world.events.add_all([New("service", "", "x"), New("service", "", "y")])
        await world.until(lambda: announcer.untold() == 3)
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: bool(world.logged()))
        world.events.add("service", "", "z")
        await asyncio.sleep(0.05)
        assert announcer.untold() == 3
        world.broken = set()
        await world.until(lambda: len(world.logged()) == 2 and announcer.untold() > world.events.last)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(act())
    assert list(json.loads((world.folder / "memory.json").read_text())["told"].values()) == [world.events.last]


def test_a_new_place_hears_of_what_comes_and_one_that_is_gone_hears_no_more(world: World) -> None:
    world.file.write_text("json://a\n")
    world.events.add("signal", "", "long ago", HARM)

    async def act() -> None:
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: len(world.taken) == 1)
        world.file.write_text("json://new\n")
        await asyncio.sleep(0.05)
        world.events.add("signal", "", "two", HARM)
        await world.until(lambda: len(world.taken) == 2)

    asyncio.run(world.running(act))
    assert world.taken == [("json://a", "one"), ("json://new", "two")]


def test_places_that_cannot_be_read_at_first_are_told_all_the_same(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.file.mkdir()  # instead of a file
    memory = json.dumps({"format": 1, "told": {send.name("json://a"): 1}})
    (world.folder / "memory.json").write_text(memory)
    world.events.add_all([New("signal", "", "one", HARM), New("signal", "", "two", HARM)])
    announcer = Announcer("vault1", world.events, world.file, world.folder / "memory.json", world.send, tick=0.01)

    async def act() -> None:
        task = asyncio.create_task(announcer.run())
        await asyncio.sleep(0.1)
        world.events.add("signal", "", "three", HARM)
        assert announcer.untold() == 1 and (world.folder / "memory.json").read_text() == memory
        world.file.rmdir()
        world.file.write_text("json://a\n")
        await world.until(lambda: len(world.taken) == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(act())
    assert [text for _, text in world.taken] == ["two", "three"]
    assert "the places are as before" in capsys.readouterr().err


@pytest.mark.parametrize("memory", ["", "{}", '{"format": 2, "told": {}}', '{"format": 1, "told": [1]}'])
def test_a_memory_that_is_damaged_is_begun_anew(world: World, memory: str, capsys: pytest.CaptureFixture[str]) -> None:
    world.file.write_text("json://a\n")
    (world.folder / "memory.json").write_text(memory)
    world.events.add("signal", "", "before", HARM)  # whether it was told is not known

    async def act() -> None:
        await world.until(lambda: len(world.taken) == 1)
        world.events.add("signal", "", "one", HARM)
        await world.until(lambda: len(world.taken) == 2)

    asyncio.run(world.running(act))
    assert world.taken == [("json://a", "before"), ("json://a", "one")]
    assert "memory.json" in capsys.readouterr().err


def test_a_full_disk_stops_nobody_from_being_told(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.file.write_text("json://a\n")

    async def act() -> None:
        world.events.add("signal", "", "one", HARM)
        monkeypatch.setattr("blackstart.vault.files.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        await world.until(lambda: len(world.taken) == 1)
        await asyncio.sleep(0.05)

    asyncio.run(world.running(act))
    assert "after a restart some things are told twice" in capsys.readouterr().err


def test_a_log_that_cannot_be_read_for_a_while_is_read_later(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.file.write_text("json://all\n")
    real, broken = world.events._in_memory, [2]

    def in_memory(number: int) -> list[Any] | None:
        if broken[0]:
            broken[0] -= 1
            raise OSError(5, "Input/output error")
        return real(number)

    async def act() -> None:
        monkeypatch.setattr(world.events, "_in_memory", in_memory)
        world.events.add("signal", "node1", "an upgrade", HARM)
        await world.until(lambda: bool(world.taken))

    asyncio.run(world.running(act))
    assert world.taken == [("json://all", "an upgrade")] and not broken[0]
    assert "events.jsonl: Input/output error; people are told once it can be read" in capsys.readouterr().err
