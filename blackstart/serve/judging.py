"""Readings that were kept are judged as `blackstart drift` would, by a process of its own, into drift.json.

One at a time; of a node that sent another one meanwhile the newest alone is judged.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from blackstart.drift import reported
from blackstart.drift.finding import Report
from blackstart.process import ended
from blackstart.serve.events import New
from blackstart.serve.store import Store
from blackstart.vault import files, layout

JUDGE = f"{layout.LIBEXEC}/serve-judge"  # the launcher: brings the fleet's newest files before it judges
PATIENCE = 300  # seconds for one judgement


def command() -> tuple[str, ...]:
    """What judges, with the node's name behind it."""
    return (JUDGE,) if os.access(JUDGE, os.X_OK) else (sys.executable, "-P", "-m", "blackstart.serve.judge")


class Judging:
    """One task beside the store."""

    def __init__(self, store: Store, command: tuple[str, ...]) -> None:
        self._store, self._command = store, command
        self._waiting: dict[str, None] = {}  # in the order in which they came
        self._some = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.create_task(self._judge_all())

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def add(self, node: str) -> None:
        """Its state.json is to be judged."""
        self._waiting[node] = None
        self._some.set()

    async def _judge_all(self) -> None:
        while True:
            await self._some.wait()
            node = next(iter(self._waiting))
            del self._waiting[node]
            if not self._waiting:
                self._some.clear()
            try:
                await self._judge(node)
            except (OSError, ValueError) as error:
                self._store.counts["unjudged"] += 1
                self._store.tell([New("drift", node, f"the reading of {node} could not be judged: {error}")])

    async def _judge(self, node: str) -> None:
        """Raises ValueError, OSError."""
        text = await self._run(node)
        report = reported.load(text)
        if node not in report.at:
            raise ValueError("the judgement is not of it")
        path = self._store.folders.now(node) / "drift.json"
        before = _kinds(path)
        self._store.usable()
        await asyncio.to_thread(files.replace, path, text, 0o644)
        after = _counts(report)
        if after != before:
            self._store.tell([New("drift", node, f"{node}: {_words(after)}", {"findings": after})])

    async def _run(self, node: str) -> str:
        """What the judge printed. Raises ValueError."""
        # The launcher finds the fleet's newest files where this says nothing.
        environment = {name: value for name, value in os.environ.items() if name != "BLACKSTART_FLEET"}
        try:
            done = await ended("nice", *self._command, node, seconds=PATIENCE, environment=environment)
        except TimeoutError:
            raise ValueError(f"no result within {PATIENCE} s") from None
        if done.status not in (0, 2, 3):
            said = [line for line in done.err.decode("utf-8", "replace").splitlines() if line.strip()]
            raise ValueError(said[-1] if said else f"it ended with {done.status}")
        return done.out.decode("utf-8", "replace")


def _counts(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in report.findings:
        if not each.waiver:
            found[each.kind] = found.get(each.kind, 0) + 1
    return found


def _kinds(path: Path) -> dict[str, int] | None:
    """Of the judgement before; None: there was none that can be read."""
    try:
        return _counts(reported.load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing differs"
