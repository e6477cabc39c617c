"""Steps of a drill: each one timed, its output kept in a file of its own, its outcome shown as it happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table


class DrillError(Exception):
    """A step did not come out as it must; the message is one sentence for a person."""


@dataclass
class Step:
    name: str
    began: float = 0.0  # seconds since the first step began
    seconds: float = 0.0
    bytes: int | None = None
    note: str = ""
    ok: bool = False
    log: str = ""


@dataclass
class Journal:
    """`folder` gets one log file a step and `result.json`; `facts` holds RPO, RTO and what else was measured."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    console: Console = field(default_factory=lambda: Console(highlight=False))
    _began: float | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[tuple[Step, TextIO]]:
        """Run one step; an exception is reported with the step's name and its log, then goes on its way."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{len(self.steps) + 1:02}-{name.replace(' ', '-')}.log"
        began = time.monotonic()
        self._began = began if self._began is None else self._began
        step = Step(name=name, began=began - self._began, log=str(path))
        self.steps.append(step)
        self.console.print(f"[bold]{name}[/] …")
        with path.open("w") as log:
            try:
                yield step, log
                step.ok = True
            except BaseException as error:
                self.console.print(f"[red]failed[/]: {name}: {error}\n  its log: {path}")
                raise
            finally:
                step.seconds = time.monotonic() - began
                self.save()
        self.console.print(f"  {step.seconds:6.1f} s  {step.note}")

    def save(self) -> None:
        """Write result.json whole (temporary file, rename)."""
        done = {"format": 1, "steps": [asdict(step) for step in self.steps], **self.facts}
        temporary = self.folder / ".result.json"
        temporary.write_text(json.dumps(done, indent=1) + "\n")
        temporary.replace(self.folder / "result.json")

    def table(self) -> Table:
        """What a person reads at the end."""
        table = Table(title="drill", caption=str(self.folder / "result.json"))
        table.add_column("step", overflow="fold")
        table.add_column("seconds", justify="right", overflow="fold")
        table.add_column("bytes", justify="right", overflow="fold")
        table.add_column("", overflow="fold")
        for step in self.steps:
            size = f"{step.bytes:,}" if step.bytes is not None else ""
            table.add_row(step.name, f"{step.seconds:.1f}", size, step.note if step.ok else f"FAILED {step.note}")
        return table


def wait_until(what: str, seconds: float, holds: Callable[[], bool], every: float = 0.5) -> float:
    """Poll `holds` until it is true; returns the seconds it took. Raises DrillError when it never was."""
    began = time.monotonic()
    while True:
        if holds():
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise DrillError(f"{what}: not so after {seconds:.0f} s")
        sys.stdout.flush()
        time.sleep(every)
