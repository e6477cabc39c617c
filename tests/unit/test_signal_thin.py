"""Signals that are long over are forgotten: never one that is open or held, and never half of the journal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blackstart.signal import book as module
from blackstart.signal.book import Book
from blackstart.signal.journal import Journal, protected
from blackstart.signal.model import OnNode, Signal, Taken, load

YEAR = 365 * 86400
NOW = 2 * YEAR


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEWEST", 2)


def signal(number: int, state: Any = "closed", at: int = 10, **other: Any) -> Signal:
    taken = (Taken("tank", "x", str(number)),)
    said = {"nodes": {"node1": OnNode("node", taken=taken)}, "closed": at} | other
    return Signal(f"{number:016x}", "fleet", "may-break", "why", "a", "a", f"k{number}", "", at, at + 60, state, **said)


def thinned(folder: Path, *signals: Signal, now: int = NOW) -> list[int]:
    """What a service knows after it wrote those down and thinned them; the same as one that starts then."""
    folder.mkdir(exist_ok=True)

    async def life() -> list[int]:
        book = Book(Journal(folder), lambda: now)
        await book.load()
        for each in signals:
            await book.put(each)
        await book.thin()
        again = Book(Journal(folder), lambda: now)
        await again.load()
        assert again.all() == book.all()
        assert sorted(path.stem for path in folder.glob("*.json")) == sorted(each.token for each in book.all())
        return sorted(int(each.token, 16) for each in book.all())

    return asyncio.run(life())


def test_those_that_are_long_over_go_from_journal_and_folder(tmp_path: Path) -> None:
    old = [signal(1), signal(2, "expired"), signal(3, "failed", closed=0)]
    young = [signal(4, at=NOW - 9), signal(5, at=NOW - 8), signal(6, at=NOW - 7)]
    assert thinned(tmp_path, *old, *young) == [4, 5, 6]
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 3
    assert Journal(tmp_path).read()[young[0].token] == young[0]


def test_one_that_is_open_or_held_or_was_closed_lately_stays(tmp_path: Path) -> None:
    stay = [signal(1, "open", closed=0), signal(2, held=("node1",)), signal(3, "failed", held=("node1",))]
    stay += [signal(4, closed=NOW - YEAR)]
    assert thinned(tmp_path, *stay, *map(signal, range(5, 12))) == [1, 2, 3, 4, 10, 11]
    assert protected(tmp_path) == {"1"}


def test_the_newest_stay_whatever_the_clock_says(tmp_path: Path) -> None:
    assert thinned(tmp_path, *map(signal, range(1, 9)), now=10**12) == [7, 8]


def test_the_journal_is_not_written_anew_for_less_than_a_quarter(tmp_path: Path) -> None:
    young = [signal(number, at=NOW - 9) for number in range(3, 10)]
    assert thinned(tmp_path, signal(1), signal(2), *young) == list(range(1, 10))
    assert len(thinned(tmp_path / "more", signal(1), signal(2), *young[:6])) == 6


def test_a_key_of_one_that_is_forgotten_is_free(tmp_path: Path) -> None:
    async def life() -> None:
        book = Book(Journal(tmp_path), lambda: NOW)
        for number in range(1, 6):
            await book.put(signal(number))
        assert book.by_key("a", "k1")
        await book.thin()
        assert book.by_key("a", "k1") is None and book.by_key("a", "k5")

    asyncio.run(life())


def test_a_full_disk_forgets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space left"):
        broken.setattr("blackstart.vault.files.replace", full)
        thinned(tmp_path, *map(signal, range(1, 9)))
    assert thinned(tmp_path, signal(9), now=0) == list(range(1, 10))


WRITER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from blackstart.signal import book
from blackstart.signal.model import OnNode, Signal, Taken
from blackstart.signal.journal import Journal
book.NEWEST = 5
taken = tuple(Taken(f"tank/{n}", "x", str(n)) for n in range(50))
on = {"node1": OnNode("node", taken=taken)}
first = Signal("", "fleet", "may-break", "why", "a", "a", "", "", 1, 2, "closed", on)
async def life():
    known = book.Book(Journal(Path(sys.argv[1])), lambda: 10**12)
    await known.load()
    number = max((each.at for each in known.all()), default=0)
    while True:
        number += 1
        await known.put(replace(first, token=f"{number:016x}", at=number))
        print(number, flush=True)
        await known.thin()
asyncio.run(life())
"""


def test_a_kill_leaves_every_signal_that_counts(tmp_path: Path) -> None:
    for life in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as one:
            assert one.stdout is not None
            lines = [one.stdout.readline() for _ in range(20 + life)]
            one.kill()
            lines += one.stdout.read().splitlines()
        last = int(lines[-1])
        kept = Journal(tmp_path).read()
        assert {f"{last - n:016x}" for n in range(5)} <= set(kept) and len(kept) < 10
        for path in tmp_path.glob("*.json"):
            assert load(path.read_text()).token == path.stem
