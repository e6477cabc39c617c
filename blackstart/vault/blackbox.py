"""Keep a vault's live state as it is at this moment: `python3 -m blackstart.vault.blackbox DATASET`, as bs-prune.

One snapshot, and those of its own that are past their time go: never one that somebody holds, or that another program
took. They stay on this vault; replication takes its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from blackstart.vault import layout, prune
from blackstart.vault.zfs import CommandError, run, snapshots

EVERY = 300  # seconds, by the timer
DAYS = 365  # that one can look back; logs that the service keeps go by it, too
KEEP = ((prune.MINUTE, 288), (prune.HOUR, 336), (prune.DAY, DAYS))  # a day, two weeks, a year


def keep(dataset: str, now: int) -> None:
    """Take one. Raises CommandError."""
    run("zfs", "snapshot", f"{dataset}@{layout.snapshot_name(now, layout.MOMENT_PREFIX)}")


def let_go(dataset: str, now: int) -> None:
    """Remove what is past its time, one by one. Raises CommandError, ValueError."""
    have = [item for item in snapshots(dataset) if item.dataset == dataset]
    for item in prune.thinned(have, KEEP, now, (), layout.MOMENT_PREFIX):
        # Without -r, -R, -f or -d: this one or nothing, and never one that somebody holds.
        run("zfs", "destroy", str(item))
        print(f"removed {item} (guid {item.guid})")


def main(arguments: Sequence[str]) -> int:
    """One that fails does not keep the other from being done: a full pool needs room. Exit code 1 then."""
    dataset, now, status = arguments[0], int(time.time()), 0
    steps: tuple[Callable[[str, int], None], ...] = (keep, let_go)
    for step in steps:
        try:
            step(dataset, now)
        except (CommandError, ValueError) as error:
            print(f"{dataset}: the black box: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
