"""The vault's own side of a restore: holds on the snapshots that are sent, and what a receive token still means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from blackstart.vault import layout
from blackstart.vault.restore_plan import Item
from blackstart.vault.zfs import CommandError, gone, run


class Failed(Exception):
    """A dataset cannot be brought back by trying again; one sentence."""


class Sender:
    """zfs on this vault, as bs-restore (delegated: send, hold, release)."""

    def __init__(self) -> None:
        self.held: set[str] = set()  # snapshots, by this run

    def hold_all(self, items: Iterable[Item]) -> None:
        """Hold what can be held, in three commands for all: while a stream waits, each would count.

        Where it fails as a whole, `hold` does it one by one, and says what is wrong with which.
        """
        wanted = {f"{item.source}@{item.snapshot}": item.guid for item in items}
        if not wanted:
            return
        with contextlib.suppress(CommandError, ValueError):
            found = run("zfs", "get", "-Hp", "-o", "name,value", "guid", *wanted)
            if dict(line.split("\t") for line in found.splitlines()) != wanted:
                return
            free = sorted(set(wanted).difference(_held(wanted)))
            if free:
                run("zfs", "hold", layout.RESTORE_HOLD, *free)
            self.held = set(wanted)

    def hold(self, item: Item) -> None:
        """So that no pruning takes it meanwhile. The name is checked by guid: a name is for people. Raises Failed."""
        snapshot = f"{item.source}@{item.snapshot}"
        if snapshot in self.held:
            return
        try:
            found = run("zfs", "get", "-Hp", "-o", "value", "guid", snapshot).strip()
            if found != item.guid:
                raise Failed(f"{snapshot} has guid {found}, the plan says {item.guid}; run it again for a new plan")
            if not _held([snapshot]):
                run("zfs", "hold", layout.RESTORE_HOLD, snapshot)
        except CommandError as error:
            raise Failed(f"{snapshot} cannot be held: {error}; run it again for a new plan") from error

    def release(self, items: Iterable[Item]) -> list[str]:
        """Let go of our own holds, and of those of a restore of these datasets that failed and was planned anew.

        One whose release would destroy the snapshot (deferred) stays for a person. Lines about what is still held.
        """
        wanted = {f"{item.source}@{item.snapshot}": item.source for item in items}
        snapshots = [*wanted, *(name for name in _some_hold(set(wanted.values())) if name not in wanted)]
        try:
            return self._release(snapshots)
        except CommandError:
            said = []
            for snapshot in snapshots:
                try:
                    said += self._release([snapshot])
                except CommandError as error:
                    said.append(f"{snapshot}: the hold could not be released: {error}")
            return said

    def _release(self, snapshots: list[str]) -> list[str]:
        """Three commands for all of them. Raises CommandError."""
        held = _held(snapshots)
        if not held:
            return []
        values = run("zfs", "get", "-Hp", "-o", "name,value", "defer_destroy", *held).splitlines()
        free = [name for name, value in (line.split("\t") for line in values) if value == "off"]
        if free:
            run("zfs", "release", layout.RESTORE_HOLD, *free)
        left = [name for name in held if name not in free]
        return [f"{name}: still held, somebody asked for its deferred destruction" for name in left]

    def token_size(self, token: str) -> int | None:
        """Bytes that a resumed stream would carry; None when what the token means is gone from this vault.

        Only the sender knows. Raises Failed when it could not say: that is no reason to give up a receive.
        """
        try:
            said = run("zfs", "send", "-nvPt", token)
        except CommandError as error:
            if gone(str(error)):
                return None
            raise Failed(f"zfs send -nvt TOKEN: {error}") from error
        sizes = [words[1] for words in map(str.split, said.splitlines()) if words[:1] == ["size"]]
        return int(sizes[-1]) if sizes and sizes[-1].isdigit() else 0


def _some_hold(datasets: set[str]) -> list[str]:
    """Their snapshots that anybody holds; none where one of the datasets is gone."""
    columns = ("-d", "1", "-t", "snapshot", "-o", "name,userrefs")
    try:
        said = run("zfs", "list", "-Hp", *columns, *sorted(datasets)) if datasets else ""
    except CommandError:
        return []
    return [name for name, count in (line.split("\t") for line in said.splitlines()) if count != "0"]


def _held(snapshots: Iterable[str]) -> list[str]:
    """Those that carry our hold. Raises CommandError."""
    lines = (line.split("\t") for line in run("zfs", "holds", "-H", *snapshots).splitlines())
    return [name for name, tag, *_ in lines if tag == layout.RESTORE_HOLD]
