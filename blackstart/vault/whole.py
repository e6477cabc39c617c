"""Read what ZFS may no longer give back of the replicas here: `python3 -m blackstart.vault.whole`, hourly, as root.

While ZFS counts no error on the pool and nothing is noted, nothing is read. A replica whose newest snapshot is damaged
is renamed aside, whole chain and all, as soon as the node surely has the data and there is room: the next replication
begins a new one. Root's, because Linux cannot delegate a rename. Nothing is destroyed. Exit codes: 0 all is whole or
made way, 1 something is damaged and stays, or could not be read.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from blackstart.vault import config, damage, layout
from blackstart.vault.damage import Damage
from blackstart.vault.restore_lock import Busy, held
from blackstart.vault.store import Store, mounted
from blackstart.vault.zfs import CommandError, Snapshot, gone, read_through, run, snapshots


class Look:
    """One run over everything that one node has here."""

    def __init__(self, wishes: config.Replication, now: int) -> None:
        self.wishes = wishes
        self.now = now
        self.store = Store(wishes.node)
        self.before = damage.read(self.store.folder)
        self.chains: dict[str, list[Snapshot]] = {}
        self.moved: set[str] = set()

    def run(self) -> list[str]:
        """Lines about what is damaged and stays. Raises CommandError, ValueError, OSError."""
        errors = damage.count(run("zpool", "status", self.wishes.pool))
        if not errors and not self.before.bad:
            damage.write(self.store.folder, Damage())
            return []
        self.chains = self._chains()
        # An error more may lie in what was whole.
        whole = set(self.before.whole) if errors == self.before.errors else set[str]()
        bad: dict[str, str] = {}
        for chain in self.chains.values():
            suspect = [each for each in chain if each.guid in self.before.bad]
            if errors or suspect:
                found, good = damage.look(chain, whole, _why)
                whole |= good
                # One that could not be read, and that is not the newest any more: is it still so?
                for each in suspect:
                    if each.guid not in {*found, *whole} and (said := _why(damage.base(chain, each, whole), each)):
                        found[each.guid] = said
                bad |= found
        there = {each.guid for chain in self.chains.values() for each in chain}
        damage.write(self.store.folder, Damage(errors, bad, tuple(sorted(whole & there))))
        return [line for line in map(self._make_way, self.chains) if line]

    def _chains(self) -> dict[str, list[Snapshot]]:
        """The node's dataset -> its snapshots here, oldest first."""
        root = f"{self.wishes.pool}/vault/replicas/{self.wishes.node}"
        found: dict[str, list[Snapshot]] = {}
        for each in snapshots(root):
            found.setdefault(each.dataset.removeprefix(f"{root}/"), []).append(each)
        return {name: chain for name, chain in found.items() if name in self.wishes.datasets}

    def _make_way(self, dataset: str) -> str:
        """What stays damaged, and why; "" where nothing is, or where it made way."""
        newest = self.chains[dataset][-1]
        bad = damage.read(self.store.folder).bad.get(newest.guid, "")
        if not bad or dataset in self.moved:
            return ""
        says = f"{dataset}: @{newest.name} cannot be read from this vault's disk ({bad})"
        aside = damage.put_aside_as(newest.dataset, self.wishes.node, newest.guid)
        with_it = [name for name in self.chains if name == dataset or name.startswith(f"{dataset}/")]
        try:
            with held(self.store.folder, "this vault", f"put the damaged replica of {dataset} aside"):
                if why := self._stays(with_it):
                    return f"{says}; it stays: {why}"
                run("zfs", "create", "-p", "-o", "canmount=off", "-o", "mountpoint=none", aside.rpartition("/")[0])
                run("zfs", "rename", newest.dataset, aside)
        except Busy as error:
            return f"{says}; it stays for now: {error}"
        self.moved |= set(with_it)
        event = {"event": "replica put aside", "at": self.now, "node": self.wishes.node, "dataset": dataset}
        self.store.journal({**event, "snapshot": newest.name, "guid": newest.guid, "to": aside, "why": bad})
        print(f"{self.wishes.node}: {says}; it is kept as {aside}, and the next replication begins a new one")
        return ""

    def _stays(self, datasets: list[str]) -> str:
        """Why these, which are renamed together, must stay; "" when they may go."""
        record = self.store.read()
        if record is None or record.rebuild or record.unfinished or record.retired:
            return "a rebuild or restore of the node is not finished, or the node is retired"
        newest = {name: self.chains[name][-1] for name in datasets}
        at, arrived = _arrived(self.store.folder)
        if not all(arrived.get(name) == each.guid for name, each in newest.items()):
            return "the last replication brought nothing new of it: this replica may be all there is"
        parent = f"{self.wishes.pool}/vault/replicas/{self.wishes.node}"
        free = int(run("zfs", "get", "-Hp", "-o", "value", "available", parent))
        sizes = run("zfs", "get", "-Hp", "-o", "value", "referenced", *map(str, newest.values())).split()
        return damage.stays(self.now - at, self.wishes.interval, sum(map(int, sizes)), free)


def _arrived(folder: Path) -> tuple[int, dict[str, str]]:
    """When the last replication ended, and the guids that it brought, by dataset. Raises ValueError, OSError."""
    try:
        done = json.loads((folder / "replication.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0, {}
    return int(done["at"]), {name: str(each["guid"]) for name, each in done["arrived"].items()}


def _why(base: Snapshot | None, snapshot: Snapshot) -> str:
    """Why a snapshot, or what came after `base`, cannot be read to its end; "" when it can. Raises CommandError."""
    since = ["-i", f"@{base.name}"] if base else []
    try:
        read_through("zfs", "send", "-w", *since, str(snapshot))
    except CommandError as error:
        if damage.unreadable(str(error)):
            return "Input/output error"
        if gone(str(error)):  # pruned meanwhile: nothing is known of it
            return ""
        raise
    return ""


def main() -> int:
    """Every node this vault pulls from. One that fails does not stop the others."""
    status = 0
    for path in sorted(Path(layout.REPLICATION).glob("*.json")):
        try:
            mounted()
            wishes = config.load(path.read_text(encoding="utf-8"))
            for line in Look(wishes, int(time.time())).run():
                print(f"{wishes.node}: {line}", file=sys.stderr)
                status = 1
        except (CommandError, ValueError, OSError, KeyError) as error:
            print(f"{path.stem}: what is damaged here could not be found out: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
