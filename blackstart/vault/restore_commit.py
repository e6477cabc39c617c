"""The end of a restore: the record as of the new epoch, and the outcome for the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from blackstart.vault.record import Applied, PoolRecord, Record, Unfinished
from blackstart.vault.restore_plan import Item, Plan
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store


def commit(store: Store, plan: Plan, told: Callable[[Record], None] = lambda new: None) -> Record:
    """What a restore makes of the record, in one replacement of the file. What is left to do is marked in it.

    For a whole node: epoch, pool guids, host key, applied spec; no open rebuild is left. `told` gets the new record
    just before: once it is in place nothing runs this plan again, and what was not told by then never is. Raises
    ValueError when the record went on without this plan.
    """
    wanted = plan.commit

    def change(record: Record | None) -> Record:
        if record is None:
            raise ValueError(f"{plan.node} has no record on this vault any more")
        if record.epoch > plan.epoch:
            raise ValueError(f"the record is at epoch {record.epoch}, this plan leads only to {plan.epoch}")
        new = after(record)
        told(new)
        return new

    def after(record: Record) -> Record:
        left = unfinished(plan, record.unfinished, int(time.time()))
        if wanted is None:
            return replace(record, unfinished=left)
        pools = {
            name: PoolRecord(pool["guid"], pool["size"], tuple(pool["members"]))
            for name, pool in wanted["pools"].items()
        }
        applied = Applied(**wanted["applied"]) if wanted.get("applied") else record.applied
        return replace(
            record,
            epoch=plan.epoch,
            host_key=wanted.get("host_key") or record.host_key,
            pools=record.pools | pools,
            applied=applied,
            rebuild=None,
            unfinished=left,
        )

    return store.update(change)


def unfinished(plan: Plan, before: Unfinished | None, now: int) -> Unfinished:
    """The mark for what follows a restore. What an earlier one left undone is not forgotten."""
    disks: dict[str, str] = plan.details.get("disks", {})
    datasets = {item.dataset: item.guid for item in plan.items}
    whole = plan.commit is not None
    if before:
        disks = {old: disks.get(new, new) for old, new in before.disks.items()} | disks
        datasets = before.datasets | datasets
        whole = whole or before.whole
    return Unfinished(now, plan.by, whole, disks, datasets)


def outcome(plan: Plan, status: Status, record: Record | None, now: float) -> dict[str, Any]:
    """What the journal keeps of a finished restore. `rpo`: seconds between a snapshot and the begin, the worst one.

    `rto`: seconds from the begin (of the rebuild, by its first run) to now.
    """
    begun = plan.details.get("begun", plan.created)
    return {
        "event": "rebuilt" if plan.commit is not None else "restored",
        "at": int(now),
        "node": plan.node,
        "epoch": plan.epoch,
        "by": plan.by,
        "rpo": max((_lost(begun, item) for item in plan.items), default=0),
        "rto": round(now - begun, 1),
        "bytes": sum(item.sent for item in status.items.values()),
        "datasets": [
            {
                "dataset": item.dataset,
                "snapshot": item.snapshot,
                "guid": item.guid,
                "lost": _lost(begun, item),
                "bytes": status.items[item.dataset].sent,
                "seconds": {k: round(v, 2) for k, v in status.items[item.dataset].seconds.items()},
            }
            for item in plan.items
        ],
        "containers": dict(status.containers),
        "pools": {name: pool.guid for name, pool in record.pools.items()} if record else {},
        **plan.details,
    }


def _lost(begun: int, item: Item) -> int:
    """Seconds of data; a snapshot from the future, which the plan has warned of, gives none back."""
    return max(0, begun - item.creation)
