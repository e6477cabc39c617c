"""The record's open rebuild: begin it, note what it made, give it up; and the mark that all after it is done.

`python3 -m blackstart.vault.restore_open NODE`, JSON on stdin: {"do": "open", "epoch", "by", "disks", "host_key"} |
{"do": "made", "pools": {name: guid}} | {"do": "abandon", "by"} | {"do": "finished", "since"}. One line of the journal
each.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import Any

from blackstart.vault.record import OpenRebuild, Record, dump_record
from blackstart.vault.store import Store, mounted


def changed(record: Record | None, asked: dict[str, Any], now: int) -> Record:
    """`record` after what was asked. Raises ValueError with one clause when the record does not allow it."""
    if record is None:
        raise ValueError("it has no record here: only an enrolled node can be rebuilt")
    if asked["do"] == "open":
        return replace(record, rebuild=_opened(record, asked, now))
    if asked["do"] == "finished":
        # A later restore may have left something undone since: that is not what was finished.
        done = record.unfinished is not None and record.unfinished.at == asked["since"]
        return replace(record, unfinished=None) if done else record
    if record.rebuild is None:
        raise ValueError("no rebuild is open")
    if asked["do"] == "made":
        return replace(record, rebuild=replace(record.rebuild, pools=record.rebuild.pools | asked["pools"]))
    if asked["do"] == "abandon":
        if record.rebuild.pools:
            # Seen without a pool by whoever asks, made meanwhile by whoever rebuilds.
            raise ValueError(f"the open rebuild has made {', '.join(record.rebuild.pools)} already")
        return replace(record, rebuild=None)
    raise ValueError(f"{asked['do']!r} is nothing that can be asked")


def _opened(record: Record, asked: dict[str, Any], now: int) -> OpenRebuild:
    before = record.rebuild
    if before and before.epoch == asked["epoch"]:
        # Going on: the beginning stays (recovery time counts from there), what was given since is added.
        return replace(before, disks=before.disks | asked["disks"], host_key=asked["host_key"] or before.host_key)
    if asked["epoch"] != record.epoch + 1:
        raise ValueError(f"the record is at epoch {record.epoch}: a rebuild leads to {record.epoch + 1}")
    return OpenRebuild(asked["epoch"], now, asked["by"], asked["disks"], {}, asked["host_key"])


def main(arguments: list[str]) -> int:
    node = arguments[0]
    store = Store(node)
    try:
        asked = json.load(sys.stdin)
        mounted()
        now = int(time.time())
        record = store.update(lambda old: changed(old, asked, now))
        store.journal({"event": f"rebuild {asked['do']}", "at": now, "epoch": record.epoch, **asked})
        begun = record.rebuild.started if record.rebuild else 0
        print(json.dumps({"begun": begun, "record": json.loads(dump_record(record))}))
    except (ValueError, OSError, KeyError) as error:
        print(f"{node}: the record on this vault was not changed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
