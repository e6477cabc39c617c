"""Which snapshots a drill plays, when one is due, and what keeps a container from being played. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from blackstart.isolated.config import Config, Container
from blackstart.vault.freshness import AHEAD
from blackstart.vault.layout import snapshot_time
from blackstart.vault.zfs import Snapshot

AGAIN = 86400  # seconds until a drill that did not pass is played again by itself
NO_KEY = "it is encrypted, and its key is not on the vault: what is in it was not looked at"
Locked = tuple[Literal["bad", "unknown"], str]  # state of the dataset, and why


@dataclass(frozen=True, slots=True)
class Choice:
    """What is played of one dataset; without `snapshot`, `why` not. `state`: see result.DatasetResult."""

    dataset: str
    snapshot: Snapshot | None
    state: str = ""
    why: str = ""


def choose(
    config: Config, have: Mapping[str, Sequence[Snapshot]], named: str = "", locked: Mapping[str, Locked] | None = None
) -> list[Choice]:
    """`have`: the node's dataset -> its replica's snapshots, oldest first. `named`: after the @; "" the newest.

    `locked`: encrypted ones that no key has opened.
    """
    return [
        _choose(each.dataset, have.get(each.dataset, ()), named, (locked or {}).get(each.dataset))
        for each in config.data
    ]


def _choose(dataset: str, have: Sequence[Snapshot], named: str, locked: Locked | None) -> Choice:
    found = [item for item in have if named in ("", item.name)]
    if not have:
        return Choice(dataset, None, "bad", "nothing of it has arrived here: it would come back empty")
    if not found:
        return Choice(dataset, None, "unknown", f"there is no snapshot @{named} of it here")
    if locked:
        return Choice(dataset, None, *locked)
    return Choice(dataset, found[-1])


def age(snapshot: Snapshot, now: int) -> int | None:
    """Seconds of data that a loss just now would have cost. None: it is from the future, and nobody knows."""
    taken = snapshot_time(snapshot.name)  # the vault's clock
    seconds = now - (snapshot.creation if taken is None else taken)
    return None if seconds < -AHEAD else max(0, seconds)


def hindrance(container: Container, missing: Mapping[str, str]) -> str:
    """Why a container is not started; "" when it is. `missing`: datasets without a clone, and why not."""
    if container.problem:
        return container.problem
    needed = [each.dataset for each in container.mounts if each.replicated]
    needed += [] if container.image else [container.rootfs]
    said = [f"{name}: {missing[name]}" for name in needed if name in missing]
    return "; ".join(said)


def wait(every: int, last: tuple[int, bool] | None, now: int) -> int:
    """Seconds until the next drill is due by itself; 0: now. `last`: when the last one began, whether it did not fail.

    Half of the allowed time, so that one that fails leaves time to see to it; after one that failed, every day. A time
    from the future is no reason to wait.
    """
    if last is None or last[0] > now + AHEAD:
        return 0
    at, good = last
    pause = every // 2 if good else min(AGAIN, every // 2)
    return max(0, at + pause - now)
