"""How old the data on a vault is, judged by what has arrived and by the vault's own clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from blackstart.vault import layout

Freshness = Literal["fresh", "stale", "missing", "suspect"]

# Clocks of vaults differ a little; a snapshot named more than this ahead of ours was not taken by a sane clock.
AHEAD = 120


@dataclass(frozen=True, slots=True)
class Age:
    """`seconds` is None where nothing has arrived."""

    dataset: str
    snapshot: str
    seconds: int | None
    state: Freshness


def age(dataset: str, snapshots: Iterable[tuple[str, int]], now: int, rpo: int) -> Age:
    """`snapshots`: (name, creation) as received. Our names carry the vault's clock, creation the node's: names count.

    With none of ours (a replica that was taken over) creation has to do.
    """
    times = [(layout.snapshot_time(name), name, creation) for name, creation in snapshots]
    ours = [(time, name) for time, name, _ in times if time is not None]
    newest = max(ours, default=None) or max(((creation, name) for _, name, creation in times), default=None)
    if newest is None:
        return Age(dataset, "", None, "missing")
    seconds = now - newest[0]
    if seconds < -AHEAD:
        return Age(dataset, newest[1], seconds, "suspect")
    return Age(dataset, newest[1], max(0, seconds), "fresh" if seconds <= rpo else "stale")


def freshness(wanted: Iterable[str], have: Mapping[str, Iterable[tuple[str, int]]], now: int, rpo: int) -> list[Age]:
    """Each wanted dataset's age. `have`: dataset -> (name, creation) of the snapshots on the vault; rpo in seconds."""
    return [age(dataset, have.get(dataset, ()), now, rpo) for dataset in sorted(wanted)]
