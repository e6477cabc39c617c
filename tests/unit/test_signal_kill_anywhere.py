"""kill -9 at every single write of a signal: it was given whole, or nothing of it stays; people hear how it stands."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from signal_vault import service
from test_serve_kill import _REAL, CALLS, deadly

from blackstart.signal.asked import Asked
from blackstart.signal.journal import Journal
from blackstart.signal.model import load
from blackstart.signal.service import Service
from blackstart.signal.words import Answer, Look

ASKED = Asked("node:node1", "may-break", "an upgrade", key="k")
ANSWERS = {"look": Answer(0, ("P tank\t1\tONLINE",)), "capture": Answer(0, content=b"BEGIN"), "held": Answer(0)}


class Node:
    """A node that outlives the vault's service: its holds are files. Nodes and Channel in one, without a process."""

    names = ("node1",)
    is_open = True

    def __init__(self, holds: Path) -> None:
        self.holds = holds

    async def ask(self, verb: str, *words: str, timeout: float) -> Answer:
        if verb == "open":
            os.close(_REAL["open"](self.holds / words[0], os.O_CREAT))
            return Answer(0, (f"tank@{words[1]}\t7", "P tank\t1\tONLINE"))
        if verb in ("undo", "release"):
            (self.holds / words[0]).unlink(missing_ok=True)
        if verb == "found":
            return Answer(0, (f"tank@{words[0]}\t7",))
        return ANSWERS.get(verb, Answer(0))

    def channel(self, node: str) -> Node:
        return self

    own = channel

    async def ready(self, node: str) -> Look:
        return Look()

    async def look_at_all(self) -> None:
        pass

    async def close(self) -> None:
        pass


def life(root: Path, work: Callable[[Service], Awaitable[None]]) -> None:
    async def go() -> None:
        one = service(root, Node(root / "holds"), ("tank",))
        await one.start()
        await work(one)
        await one.let_go()
        await one.stop()

    asyncio.run(go())


def run(root: Path, asked: Asked, at: int) -> tuple[list[str], int]:
    """What a service acknowledged that killed itself before the call number `at`; how many calls it came to."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:

        async def work(one: Service) -> None:
            signal, _ = await one.open(asked, "ann")
            _REAL["write"](there, f"{signal.token}\n".encode())
            closed = await one.close(signal.token, "ok", "ann")
            _REAL["write"](there, f"{closed.state}\n".encode())

        left = [at]
        for name in CALLS:
            setattr(os, name, deadly(name, left))
        try:
            life(root, work)
            _REAL["write"](there, f"{at - left[0]}\n".encode())
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here) as pipe:
        found = pipe.read().split()
    _, status = os.waitpid(child, 0)
    return (found[:-1], int(found[-1])) if os.WIFEXITED(status) else (found, at)


def made(root: Path) -> Path:
    for name in ("signals", "holds", "live/node1/now"):
        (root / name).mkdir(parents=True)
    return root


@pytest.mark.parametrize("severity", ["may-break", "will-break"])
def test_at_every_write(tmp_path: Path, severity: Any) -> None:
    asked = replace(ASKED, severity=severity)
    said, calls = run(made(tmp_path / "all"), asked, 10**6)
    assert len(said) == 2 and calls > 15
    for at in range(1, calls + 1):
        root = made(tmp_path / str(at))
        said, _ = run(root, asked, at)
        for path in root.rglob("[!.]*.json"):
            load(path.read_text())
        life(root, nothing)
        _whole(root, said)
        life(root, partial(again, asked, said))
        _whole(root, [])
        assert list((root / "holds").iterdir()) == []


async def nothing(one: Service) -> None:
    """Start, and end."""


async def again(asked: Asked, said: list[str], one: Service) -> None:
    """Who heard nothing sends the same once more."""
    answered = [each.token for each in one.book.all() if each.answered]
    signal, new = await one.open(asked, "ann")
    assert new == (not answered) and (new or [signal.token] == answered) and (not said or said[0] == signal.token)
    await one.close(signal.token, "ok", "ann")


def _whole(root: Path, said: list[str]) -> None:
    """After a start. `said`: the token that was acknowledged, and that it was closed."""
    kept = Journal(root / "signals").read()
    assert not said or kept[said[0]].state in (("closed",) if len(said) > 1 else ("open", "closed"))
    assert {path.name for path in (root / "holds").iterdir()} == {t for t, s in kept.items() if s.state == "open"}
    heard: dict[str, str] = {}
    for line in (root / "events.jsonl").read_text().splitlines():
        data = json.loads(line)["data"]
        heard[data["token"]] = data["state"]
    # What came to nothing before anybody heard of it need not be told.
    assert heard == {t: s.state for t, s in kept.items() if t in heard or s.state != "failed"}
    captured = {path.name for path in (root / "live").rglob("signal-*.reading")}
    assert captured <= {f"signal-{t}.reading" for t, s in kept.items() if s.state != "failed"}
