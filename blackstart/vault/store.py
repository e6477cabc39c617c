"""A node's folder on the vault: its record, changed by several programs, and its journal.

`python3 -m blackstart.vault.store NODE < patch.json` merges a patch into the record; the controller sends it over ssh.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from blackstart.vault import files, layout
from blackstart.vault.record import Applied, DatasetRecord, PoolRecord, Record, dump_record, load_record


def mounted(root: str = layout.LIVE) -> None:
    """Asked by every program before its first look into a node's folder: below the empty mount point of a vault's
    dataset there is neither a record nor a lock, and what was written there would be hidden later. Raises OSError.
    """
    if not os.path.ismount(root):
        raise OSError(f"{root} is not mounted")


class ReadOnly(OSError):
    """It is there, to be looked at."""


def writable(root: str = layout.LIVE, folder: str = "") -> None:
    """`mounted`, for who writes there, or in one `folder` of it alone: a unit's ReadWritePaths= may be no more, and
    what is around it is read-only to it. Raises OSError, of which ReadOnly is one.
    """
    mounted(root)
    where = str(Path(root) / folder)
    if os.statvfs(where).f_flag & os.ST_RDONLY:
        raise ReadOnly(f"{where} is read-only")


class Store:
    """One node's folder. `root` is another one only in tests."""

    def __init__(self, node: str, root: str = layout.LIVE) -> None:
        self.node = node
        self.folder = Path(root) / node

    def read(self) -> Record | None:
        """The record, None when the node has none. Raises ValueError when there is one that cannot be read."""
        try:
            text = (self.folder / "record.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return load_record(text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The record's writers wait for one another: a few milliseconds each, released by the kernel when one dies."""
        # Opened for reading: any user who may read the folder can wait, whoever made the file.
        lock = os.open(self.folder / "record.lock", os.O_RDONLY | os.O_CREAT, 0o664)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def update(self, change: Callable[[Record | None], Record]) -> Record:
        """Read, change and replace the record with no other writer in between. Raises ValueError, OSError."""
        with self._alone():
            record = change(self.read())
            files.replace(self.folder / "record.json", dump_record(record))
            return record

    def journal(self, event: dict[str, Any]) -> None:
        """One line more in journal.jsonl."""
        files.append(self.folder / "journal.jsonl", json.dumps({"format": 1} | event, sort_keys=True))


KEYS = {"epoch", "host_key", "pools", "datasets", "applied", "retired", "retired_datasets", "vault_keys"}


def patched(node: str, record: Record | None, patch: dict[str, Any]) -> Record:
    """`record` with the keys of `patch` in place of its own; without a record the patch must carry all of one.

    The keys of a patch are KEYS. `datasets` never takes what has arrived out of the record: a dataset keeps its newest
    snapshot (and stays encrypted), a new one is added with none, and one that was retired is in use again.
    `retired_datasets`: dataset -> its new name on the node. Raises ValueError.
    """
    unknown = set(patch) - KEYS
    if unknown:
        # This runs on the vault; what sent the patch is newer.
        words = ", ".join(sorted(unknown))
        raise ValueError(f"the vault's tool is older than yours and knows no {words}; next: blackstart apply VAULT")
    try:
        if record is None:
            record = Record(
                node=node, epoch=patch["epoch"], host_key=patch["host_key"], pools={}, datasets={}, applied=None
            )
        if patch.get("epoch", record.epoch) < record.epoch:
            raise ValueError(f"epoch {patch['epoch']} is older than the record's {record.epoch}")
        pools = {
            name: PoolRecord(p["guid"], p["size"], tuple(p["members"])) for name, p in patch.get("pools", {}).items()
        }
        applied = Applied(**patch["applied"]) if patch.get("applied") else record.applied
        epoch = patch.get("epoch", record.epoch)
        # A vault that was away while others finished the rebuild it had begun: that one is over.
        over = record.rebuild is not None and record.rebuild.epoch <= epoch
        return replace(
            record,
            epoch=epoch,
            rebuild=None if over else record.rebuild,
            host_key=patch.get("host_key", record.host_key),
            pools=record.pools | pools,
            datasets=_datasets(record, patch),
            applied=applied,
            retired=patch.get("retired", record.retired),
            vault_keys=record.vault_keys | patch.get("vault_keys", {}),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a patch of a record: {error!r}") from error


def _datasets(record: Record, patch: dict[str, Any]) -> dict[str, DatasetRecord]:
    datasets = dict(record.datasets)
    for name, encrypted in patch.get("datasets", {}).items():
        known = datasets.get(name, DatasetRecord())
        datasets[name] = replace(known, encrypted=known.encrypted or encrypted, retired="")
    for name, aside in patch.get("retired_datasets", {}).items():
        if name in datasets:
            datasets[name] = replace(datasets[name], retired=aside)
    return datasets


def main(arguments: list[str]) -> int:
    """Merge the JSON on stdin into a node's record: {"patch": {...}, "event": {...}}. Exit code 1 with one sentence."""
    node = arguments[0]
    store = Store(node)
    try:
        asked = json.load(sys.stdin)
        mounted()
        store.folder.mkdir(mode=0o2775, exist_ok=True)
        record = store.update(lambda old: patched(node, old, asked["patch"]))
        store.journal(asked.get("event", {}) | {"epoch": record.epoch})
    except (ValueError, OSError, KeyError) as error:
        print(f"{node}: the record on this vault was not written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
