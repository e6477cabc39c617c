"""One check of all that this vault looks at: `python3 -m blackstart.vault.drift`, as bs-read, started by a timer.

The look itself is `blackstart drift --json`, a process of its own: whatever becomes of it, what was known before stays.
What was found is on the disk before anybody is told, and what was not told is told by the next check. Exit codes: 0
clean, 1 the check was not completed, or nobody could be told, 2 drift, 3 something could not be read.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from blackstart.announce import send
from blackstart.announce.places import urls
from blackstart.drift import metrics, remembered, reported, schedule
from blackstart.drift.damping import Event, damp
from blackstart.drift.finding import Report
from blackstart.drift.remembered import Memory
from blackstart.drift.words import line, message
from blackstart.vault import files, layout
from blackstart.vault.ages import ages
from blackstart.vault.alone import Busy, alone
from blackstart.vault.freshness import Age
from blackstart.vault.zfs import CommandError

LAST, STATE, CHECK, METRICS, EVENTS = "last.json", "state.json", "check.json", "blackstart.prom", "events.jsonl"


class Incomplete(Exception):
    """The look gave no result; one clause."""


@dataclass
class Check:
    """One check. `look` gives the JSON of a look at the named nodes, or raises Incomplete; all else is for tests."""

    plan: schedule.Schedule
    folder: Path
    look: Callable[[schedule.Schedule], str]
    completed: Callable[[schedule.Schedule, int], None]
    replicas: Callable[[], Mapping[str, list[Age]]]
    announced: Path = Path(layout.ANNOUNCE)
    tell: Callable[[str, str, str], None] = send.tell

    def run(self) -> int:
        """The exit code. Raises OSError when a result cannot be written: then nobody is told it is complete."""
        began = time.monotonic()
        try:
            text = self.look(self.plan)
            report = _whole(text, self.plan)
        except Incomplete as error:
            self._end(began, str(error), 1)
            print(f"{self.plan.vault}: the check was not completed: {error}", file=sys.stderr)
            self._deliver(self._memory())
            return 1
        self._remember(report)
        files.replace(self.folder / LAST, text, 0o644)
        self._end(began, "", report.exit_code, report)
        all_told = self._deliver(self._memory())
        self.completed(self.plan, int(time.time()))
        return report.exit_code if all_told else 1

    def _memory(self) -> Memory:
        path = self.folder / STATE
        try:
            return remembered.load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Memory()
        except ValueError as error:
            print(f"{path}: {error}; beginning anew: what is still there is announced again", file=sys.stderr)
            return Memory()

    def _remember(self, report: Report) -> None:
        memory, now = self._memory(), int(time.time())
        memory.sightings, events = damp(memory.sightings, report, now, self.plan.sightings, self.plan.nodes)
        told = {send.name(url) for url in urls(self.announced)}
        memory.untold = {place: [*memory.untold.get(place, ()), *events] for place in told}
        files.replace(self.folder / STATE, remembered.dump(memory), 0o644)
        for event in events:
            print(line(event))
            files.append(self.folder / EVENTS, json.dumps({"format": 1} | asdict(event), sort_keys=True))

    def _deliver(self, memory: Memory) -> bool:
        """Whether everybody was told everything."""
        untold: dict[str, list[Event]] = {}
        for url in urls(self.announced):
            events = memory.untold.get(send.name(url), [])
            try:
                if events:
                    self.tell(url, *message(self.plan.vault, events))
            except send.AnnounceError as error:
                print(f"{self.plan.vault}: {error}; the next check tries again", file=sys.stderr)
                untold[send.name(url)] = events
        if untold != {place: events for place, events in memory.untold.items() if events}:
            files.replace(self.folder / STATE, remembered.dump(Memory(memory.sightings, untold)), 0o644)
        return not untold

    def _end(self, began: float, why: str, exit_code: int, report: Report | None = None) -> None:
        """How it went, for people and for Prometheus. An uncompleted check keeps the findings of the last one."""
        now = int(time.time())
        completed = now if report else self._completed()
        written = {
            "format": 1,
            "vault": self.plan.vault,
            "at": now,
            "seconds": round(time.monotonic() - began, 1),
            "why": why,
            "exit_code": exit_code,
            "completed": completed,
        }
        files.replace(self.folder / CHECK, json.dumps(written, indent=1, sort_keys=True) + "\n", 0o644)
        check = metrics.Check(self.plan.vault, now, report is not None, completed)
        files.replace(self.folder / METRICS, metrics.text(check, report or self._last(), self.replicas()), 0o644)

    def _completed(self) -> int:
        try:
            return int(json.loads((self.folder / CHECK).read_text(encoding="utf-8"))["completed"])
        except (OSError, ValueError, LookupError, TypeError):
            return 0

    def _last(self) -> Report | None:
        try:
            return reported.load((self.folder / LAST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


def _whole(text: str, plan: schedule.Schedule) -> Report:
    """Raises Incomplete for what was cut off, and for a look that left a node out."""
    try:
        report = reported.load(text)
    except ValueError as error:
        raise Incomplete(f"its result is damaged: {error}") from error
    missing = [name for name in plan.nodes if name not in report.at]
    if missing:
        raise Incomplete(f"it did not look at {', '.join(missing)}")
    return report


def look(plan: schedule.Schedule) -> str:
    """stdout of `blackstart drift`. Raises Incomplete."""
    # What this process was started with: the launcher has chosen the tool, its libraries and the fleet.
    command = [sys.executable, "-P", "-m", "blackstart", "drift", "--json", *plan.nodes]
    seconds = plan.interval * 0.9
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Incomplete(f"no result within {seconds:.0f} s") from None
    if done.returncode not in (0, 2, 3):
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise Incomplete(said[-1] if said else f"blackstart drift ended with {done.returncode}")
    return done.stdout


def completed(plan: schedule.Schedule, now: int) -> None:
    """Tell the watcher. One that cannot be told speaks up by itself, later; this check is none the worse for it."""
    if not plan.watcher:
        return
    pins = ("-o", f"HostKeyAlias={plan.watcher}", "-o", f"UserKnownHostsFile={layout.KNOWN_HOSTS}")
    strict = ("-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=none", "-o", "BatchMode=yes")
    command = ["ssh", "-T", "-F", layout.READ_SSH, *pins, *strict, "-o", "ConnectTimeout=30", plan.watcher]
    try:
        done = subprocess.run([*command, f"checked {now}"], capture_output=True, text=True, timeout=60, check=False)
        why = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no answer"])[-1]
    except (OSError, subprocess.TimeoutExpired) as error:
        why = type(error).__name__
    if why:
        print(f"{plan.watcher}, which watches over these checks, was not told: {why}", file=sys.stderr)


def replicas() -> dict[str, list[Age]]:
    """What this vault holds of each node; none where that could not be read."""
    try:
        return ages(Path(layout.REPLICATION), int(time.time()))
    except (CommandError, ValueError, OSError) as error:
        print(f"the ages of replicas could not be read: {error}", file=sys.stderr)
        return {}


def main() -> int:
    try:
        plan = schedule.load(Path(layout.CHECK).read_text(encoding="utf-8"))
        folder = Path(layout.node_folder(plan.vault)) / "drift"
        with alone(folder / "lock"):
            return Check(plan, folder, look, completed, replicas).run()
    except Busy:
        print("a check is running already; see systemctl status blackstart-drift.service", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"the check was not completed: {error}; next: systemctl status blackstart-drift.service", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
