"""Replicas whose chain ended when an older state came back, and the script that puts such a one aside. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import Present, Reading, Unknown
from blackstart.vault import layout
from blackstart.vault.records import Replica


def ended(replicas: Mapping[str, Replica], live: Live, came_back: Collection[str] | None = None) -> Reading[list[str]]:
    """Datasets whose replica cannot go on: its newest snapshot is not on the node, which has the dataset.

    `came_back`: only these. To be asked only after a restore, and of a reading of the node that is younger than that of
    the replicas: otherwise a snapshot that was taken in between would look like one that the node lost.
    """
    for reading in (live.datasets, live.snapshots):
        if isinstance(reading, Unknown):
            return reading
    there = live.datasets.value if isinstance(live.datasets, Present) else {}
    snapshots = live.snapshots.value if isinstance(live.snapshots, Present) else {}
    found = []
    for name, replica in sorted(replicas.items()):
        asked = name in there and (came_back is None or name in came_back)
        guids = {snapshot.guid for snapshot in snapshots.get(name, ())}
        if asked and replica.snapshots and replica.snapshots[-1].guid not in guids:
            found.append(name)
    return Present(found)


def came_back(mark: str) -> str:
    """Guid of the snapshot that a dataset came back from, out of its property RESTORED; "" where it never did."""
    guid, dash, _ = mark.strip().partition("-")
    return guid if dash and guid.isdigit() else ""


def is_left_behind(replica: Replica, guids: Collection[str], guid: str) -> bool:
    """Whether the dataset came back, from its snapshot `guid`, and the replica has had nothing of it since.

    `guids`: the snapshots on the node. A chain that lives has one of those in common that are newer than `guid`.
    """
    held = [snapshot.guid for snapshot in replica.snapshots]
    since = held[held.index(guid) + 1 :] if guid in held else held
    return guid != "" and bool(since) and not set(since) & set(guids)


def aside_script(vault_pool: str, node: str, dataset: str, word: str) -> str:
    """Rename a replica to `node`.before-`word`, or ...-2 where an earlier return to that snapshot left one.

    Run again after a kill it finds no replica, and says where it went. Says the new name on stdout.
    """
    replica = layout.replica(vault_pool, node, dataset)
    root = layout.replica(vault_pool, f"{node}.before-{word}", "").rstrip("/")
    return f"""set -eu
export LC_ALL=C
there() {{
  said=$(zfs list -H -o name "$1" 2>&1) && return 0
  case $said in *"dataset does not exist"*) return 1 ;; esac
  echo "$said" >&2
  exit 1
}}
replica={shell(replica)} root={shell(root)} dataset={shell(dataset)}
last=$root next=$root number=1
while there "$next/$dataset"; do
  last=$next number=$((number + 1))
  next=$root-$number
done
if ! there "$replica" && [ $number -gt 1 ]; then echo "$last/$dataset"; exit 0; fi
new=$next/$dataset
zfs create -p -o canmount=off -o mountpoint=none "${{new%/*}}"
zfs rename "$replica" "$new"
echo "$new"
"""
