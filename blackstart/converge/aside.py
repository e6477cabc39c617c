"""Taking a dataset out of the way: renamed below `<pool>/retired/<name>-<UTC date>`, not mounted, never destroyed.

A clone keeps its origin, a dataset its snapshots.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import Present


@dataclass(frozen=True, slots=True)
class Move:
    """One dataset and its new name. `tree`: the file systems to unmount, children first."""

    dataset: str
    aside: str
    tree: tuple[str, ...]
    held: int = 0  # holds on its snapshots


def move(live: Live, dataset: str, name: str, now: int, others: Iterable[Move] = ()) -> Move:
    """To a name that nothing has, for a dataset that is there. `now`: seconds since 1970."""
    there = live.datasets.value if isinstance(live.datasets, Present) else {}
    pool, _, rest = dataset.partition("/")
    group = f"{pool}/retired/{name}-{time.strftime('%Y-%m-%d', time.gmtime(now))}"
    taken = {*there, *(other.aside for other in others)}
    first = aside = f"{group}/{rest.replace('/', '-')}"
    number = 1
    while aside in taken:
        number += 1
        aside = f"{first}-{number}"
    whole = tree(there, dataset)
    snapshots = live.snapshots.value if isinstance(live.snapshots, Present) else {}
    held = sum(snapshot.holds for each in whole for snapshot in snapshots.get(each, ()))
    return Move(dataset, aside, tuple(whole), held)


def tree(there: Iterable[str], dataset: str) -> list[str]:
    """The dataset and all below it, children first."""
    return sorted((each for each in there if each == dataset or each.startswith(f"{dataset}/")), reverse=True)


def command(move: Move) -> str:
    """Safe to repeat. Children first: a parent does not let go while one of them is mounted in it."""
    parts = move.aside.split("/")
    lines = ["set -eu"]
    for parent in ("/".join(parts[:2]), "/".join(parts[:3])):
        there = shell("zfs", "list", "-H", "-o", "name", parent)
        lines.append(
            f"{there} >/dev/null 2>&1 || "
            + shell("zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none", parent)
        )
    for each in move.tree:
        mounted = shell("zfs", "get", "-H", "-o", "value", "mounted", each)
        lines.append(shell("zfs", "set", "canmount=noauto", each))
        lines.append(f'if [ "$({mounted})" = yes ]; then {shell("zfs", "unmount", each)}; fi')
        lines.append(shell("zfs", "set", "mountpoint=none", each))
    return "\n".join([*lines, shell("zfs", "rename", move.dataset, move.aside)])
