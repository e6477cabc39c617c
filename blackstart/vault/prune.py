"""Let go of replicas' snapshots that are past their time: `python3 -m blackstart.vault.prune`, hourly, as bs-prune.

By this vault's own clock and list alone: the node has no say. What stays, whatever `keep` says: the newest snapshot of
each dataset (the base of the next increment), what the record names, what anybody else holds, what a signal that is
open was given, what is not ours, and what a clone was made of: a drill's, which is said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from blackstart.failpoint import reach
from blackstart.signal.journal import protected
from blackstart.vault import config, layout, stale
from blackstart.vault.config import Keep
from blackstart.vault.store import Store, mounted
from blackstart.vault.zfs import CommandError, Snapshot, clones, receiving, run, snapshots, tags

# Length of the part of a name that a minute, an hour, a day, a month have in common (2026-11-22T01:43:00Z).
MINUTE, HOUR, DAY, MONTH = 16, 13, 10, 7


def expired(have: Sequence[Snapshot], keep: Keep, now: int, protected: Collection[str]) -> list[Snapshot]:
    """Snapshots of one dataset, given oldest first, that may go. `protected`: guids that stay.

    The newest snapshot of each of the last `hourly` hours, `daily` days and `monthly` months in which there is one
    stays. A name from the future is suspect: nothing of that dataset goes until the clocks agree again.

    Names come from the node, where an intruder may give any. One that says to be older than what arrived before it
    takes the place of none that was there. It stands for its own span all the same: after a clock was ahead for a
    while, all honest ones are like that.
    """
    tiers = ((HOUR, keep.hourly), (DAY, keep.daily), (MONTH, keep.monthly))
    return thinned(have, tiers, now, protected, layout.SNAPSHOT_PREFIX)


def thinned(
    have: Sequence[Snapshot], tiers: Iterable[tuple[int, int]], now: int, protected: Collection[str], prefix: str
) -> list[Snapshot]:
    """The same of the snapshots named by `prefix`. `tiers`: (length of what a span's names share, how many spans)."""
    ours = [(time_, item) for item in have if (time_ := layout.snapshot_time(item.name, prefix)) is not None]
    if not ours or any(time_ > now for time_, _ in ours):
        return []
    kept = {have[-1].guid} | {item.guid for item in have if item.holds} | set(protected)
    every = [item for _, item in sorted(ours, key=lambda pair: pair[0])]
    for length, count in tiers:
        for in_turn in (_in_order(ours), every):
            kept |= {item.guid for item in _newest_each(reversed(in_turn), len(prefix) + length, count)}
    return [item for _, item in ours if item.guid not in kept]


def _in_order(ours: Iterable[tuple[int, Snapshot]]) -> list[Snapshot]:
    """Those whose name is younger than all that arrived before, oldest first."""
    latest, found = -1, []
    for time_, item in ours:
        if time_ > latest:
            found.append(item)
            latest = time_
    return found


def _newest_each(newest_first: Iterable[Snapshot], length: int, count: int) -> list[Snapshot]:
    found: dict[str, Snapshot] = {}
    for item in newest_first:
        found.setdefault(item.name[:length], item)
    return list(found.values())[:count]


def released(have: Sequence[Snapshot], tagged: dict[str, set[str]]) -> list[Snapshot]:
    """Those that only replication's own hold keeps, the newest held one excepted. `tagged`: str(snapshot) -> holds."""
    held = [item for item in have if layout.HOLD in tagged.get(str(item), set())]
    return [item for item in held[:-1] if tagged[str(item)] == {layout.HOLD}]


class Pruning:
    """One run over everything that one node has here."""

    def __init__(self, wishes: config.Replication, now: int) -> None:
        self.wishes = wishes
        self.now = now
        self.root = f"{wishes.pool}/vault/replicas/{wishes.node}"
        record = Store(wishes.node).read()
        newest = {item.guid for item in record.datasets.values() if item.guid} if record else set()
        self.protected = newest | protected(Path(layout.SIGNALS))
        self.cloned: dict[str, str] = {}

    def run(self) -> list[str]:
        """Lines about what went. Raises CommandError, ValueError, OSError."""
        if self.root not in receiving(f"{self.wishes.pool}/vault/replicas"):
            return []
        said = stale.give_up(Store(self.wishes.node).folder, self.root)
        self.cloned = clones(self.root)
        by_dataset: dict[str, list[Snapshot]] = {}
        for item in snapshots(self.root):
            by_dataset.setdefault(item.dataset, []).append(item)
        return said + [line for have in by_dataset.values() for line in self._dataset(have)]

    def _dataset(self, have: list[Snapshot]) -> list[str]:
        free = {item.guid for item in released(have, tags(have))}
        seen = [_without_hold(item) if item.guid in free else item for item in have]
        gone = []
        for item in expired(seen, self.wishes.keep, self.now, self.protected):
            if str(item) in self.cloned:
                gone.append(self._pinned(item))
                continue
            if item.guid in free:
                run("zfs", "release", layout.HOLD, str(item))
                reach("prune.released")
            # Without -r, -R, -f or -d: this one or nothing, and never one that somebody holds.
            run("zfs", "destroy", str(item))
            reach("prune.destroyed")
            gone.append(f"removed {item} (guid {item.guid})")
        return gone

    def _pinned(self, item: Snapshot) -> str:
        """While a drill is played that is as it should be; what a killed one left, the next one removes."""
        clone, node = self.cloned[str(item)], self.wishes.node
        return f"kept {item}, which is past its time: {clone} is a clone of it; next: blackstart drill {node}"


def _without_hold(item: Snapshot) -> Snapshot:
    return Snapshot(item.dataset, item.name, item.guid, item.creation)


def main() -> int:
    """Every node this vault pulls from. One that fails does not stop the others; exit code 1 then."""
    status = 0
    for path in sorted(Path(layout.REPLICATION).glob("*.json")):
        try:
            mounted()  # the records name what stays
            wishes = config.load(path.read_text(encoding="utf-8"))
            for line in Pruning(wishes, int(time.time())).run():
                print(f"{wishes.node}: {line}")
        except (CommandError, ValueError, OSError) as error:
            print(f"{path.stem}: pruning stopped: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
