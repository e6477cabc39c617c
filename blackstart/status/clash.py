"""What cannot be true of one fleet at the same time, from what its nodes say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blackstart.reading import Present
from blackstart.status.heard import heard
from blackstart.status.told import Told


def clashes(told: Iterable[Told], now: float) -> list[str]:
    """One sentence each. What a node said counts until it is silent: what it does since then is not known."""
    speaking = [each for each in told if _speaks(each, now)]
    return [*_twice(speaking), *_epochs(speaking)]


def _speaks(told: Told, now: float) -> bool:
    if not isinstance(told.beat, Present):
        return False
    return heard(told.beat.value.received, now, told.period, told.grace) in ("fresh", "late")


def _running(told: Iterable[Told]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in told:
        if isinstance(each.beat, Present):
            for name in each.beat.value.containers or ():
                found.setdefault(name, []).append(each.node)
    return found


def _twice(told: Iterable[Told]) -> Iterable[str]:
    """A name is one container in the whole fleet: two that run both write to what each takes for its own."""
    for name, nodes in sorted(_running(told).items()):
        if len(nodes) > 1:
            *others, last = sorted(nodes)
            yield f"container {name} runs on {', '.join(others)} and {last}: stop all but one of them"


def _epochs(told: Iterable[Told]) -> Iterable[str]:
    for each in told:
        if not isinstance(each.beat, Present) or not isinstance(each.record, Present):
            continue
        says, known = each.beat.value.epoch, each.record.value.epoch
        if says is not None and says < known:
            yield (
                f"{each.node} speaks of epoch {says}, it was rebuilt as epoch {known}: a machine that was replaced "
                f"runs again; stop it, see blackstart why {each.node}"
            )
        elif says is not None and says > known:
            yield (
                f"{each.node} speaks of epoch {says}, this vault knows of {known}: the vault is behind; "
                f"see blackstart why {each.node}"
            )
