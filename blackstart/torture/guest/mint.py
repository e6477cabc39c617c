"""Snapshots with their own past: which dataset of the mint each is taken in, and how a chain of them is sent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise

from blackstart.change import shell
from blackstart.torture.world import Snapshot

BULK = 384  # KiB of each dataset: enough for a stream to be cut in the middle


class Mint:
    """Every snapshot of some chains. Two chains that part share what came before: the second goes on from a copy of it.

    A copy that was received, as after a rebuild: what is sent of a clone is a clone wherever it arrives.
    """

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}  # guid -> that of the snapshot before it, "" for none
        self.snapshot: dict[str, Snapshot] = {}
        self.encrypted: dict[str, bool] = {}
        self.place: dict[str, str] = {}  # guid -> dataset of the mint

    def add(self, chain: Iterable[Snapshot], encrypted: bool) -> None:
        before = ""
        for each in chain:
            self.parent.setdefault(each.guid, before)
            self.snapshot[each.guid] = each
            self.encrypted[each.guid] = encrypted
            before = each.guid

    def script(self) -> str:
        """Takes them all, at their own times, and says `guid TAB creation` of each, in the order of `order`."""
        lines = ["set -e"]
        heads: dict[str, str] = {}  # dataset -> the guid that it stands at
        for when, group in groupby(self.order(), key=lambda guid: self.snapshot[guid].creation):
            taken = []
            for guid in group:
                lines += self._prepare(guid, heads)
                taken.append(self.path(guid))
            lines += [f"now {when}", shell("zfs", "snapshot", *taken) + " || fail mint"]
        if heads:
            lines.append(shell("values", "guid,creation", *map(self.path, self.order())))
        return "\n".join(lines) + "\n"

    def order(self) -> list[str]:
        return sorted(self.snapshot, key=lambda guid: (self.snapshot[guid].creation, guid))

    def _prepare(self, guid: str, heads: dict[str, str]) -> list[str]:
        """The dataset, as it is to be when the snapshot is taken."""
        before = self.parent[guid]
        lines = []
        if before and heads.get(self.place[before]) == before:
            place = self.place[before]
        else:
            place = f"mint/m/{len(heads)}"
            if before:
                lines.append(shell("branch", self.path(before), place))
            else:
                lines.append(shell("zfs", "create", *encryption(self.encrypted[guid]), place))
                lines.append(f"head -c {BULK}k /dev/urandom >/{place.replace('mint/m', 'mint')}/bulk")
        self.place[guid], heads[place] = place, guid
        lines.append(f"echo {guid} >/{place.replace('mint/m', 'mint')}/is")
        return lines

    def path(self, guid: str) -> str:
        return self._path(self.snapshot[guid])

    def _path(self, snapshot: Snapshot) -> str:
        return f"{self.place[snapshot.guid]}@{snapshot.name}"

    def renamed(self, guids: Mapping[str, str]) -> None:
        """The snapshots go by ZFS's own guids from now on."""
        self.place |= {new: self.place[old] for old, new in guids.items()}

    def send(self, chain: list[Snapshot], target: str) -> str:
        """A line that brings the whole chain to `target`."""
        words = [target, self._path(chain[0])]
        for place, group in groupby(pairwise(chain), key=lambda pair: self.place[pair[1].guid]):
            steps = list(group)
            words += [f"{place}@{steps[0][0].name}", f"{place}@{steps[-1][1].name}"]
        return shell("chain", *words)


def encryption(wanted: bool) -> list[str]:
    """Words of `zfs create`."""
    words = ("encryption=on", "keyformat=hex", "keylocation=file:///rig/key") if wanted else ()
    return [part for word in words for part in ("-o", word)]
