"""Whether a heartbeat is the next one of its node, or one that was sent before. Pure.

Within one boot the sequence grows, and with it the time since boot. A node that lost its last heartbeat begins with
sequence 1 again: then the time since boot alone tells. A boot that is over never comes back.
"""

from __future__ import annotations

from typing import NamedTuple

BOOTS = 32  # how many past boots of a node are remembered


class Last(NamedTuple):
    """What counts of the heartbeat that was taken last. `boots`: earlier boots' ids, newest last."""

    sequence: int
    boot_id: str | None
    uptime: float | None
    epoch: int | None
    boots: tuple[str, ...] = ()


def follow(last: Last | None, new: Last) -> Last:
    """The state after `new` (whose `boots` are not looked at). Raises ValueError with one clause: why not."""
    if last is None:
        return Last(new.sequence, new.boot_id, new.uptime, new.epoch)
    if new.epoch is not None and last.epoch is not None and new.epoch < last.epoch:
        raise ValueError(f"epoch {new.epoch} is over, the node's is {last.epoch} by now")
    if new.boot_id is not None and new.boot_id in last.boots:
        raise ValueError("it is of a boot that is over")
    if not _is_later(last, new):
        raise ValueError(f"sequence {new.sequence} is not after {last.sequence}, which was taken last")
    return Last(
        new.sequence,
        new.boot_id or last.boot_id,
        new.uptime if new.uptime is not None or new.boot_id != last.boot_id else last.uptime,
        last.epoch if new.epoch is None else new.epoch,
        _boots(last, new),
    )


def _is_later(last: Last, new: Last) -> bool:
    if new.boot_id is not None and last.boot_id is not None and new.boot_id != last.boot_id:
        return True
    if new.boot_id is None or last.boot_id is None or new.uptime is None or last.uptime is None:
        return new.sequence > last.sequence
    if new.sequence > last.sequence:
        return new.uptime >= last.uptime
    return new.sequence < last.sequence and new.uptime > last.uptime


def _boots(last: Last, new: Last) -> tuple[str, ...]:
    if last.boot_id is None or new.boot_id is None or new.boot_id == last.boot_id:
        return last.boots
    return (*last.boots, last.boot_id)[-BOOTS:]
