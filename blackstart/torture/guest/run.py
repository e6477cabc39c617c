"""One run on the guest: what is judged and decided is the same code, what it reads is real, and so is what it does.

The world goes along, by ZFS's laws as the simulation has them: each later reading must say what is so in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from blackstart.change import shell
from blackstart.converge.pool import import_command
from blackstart.lab.errors import LabError
from blackstart.reading import Present
from blackstart.restore import steps, unit
from blackstart.restore.job import Job
from blackstart.restore.keeper import choose, keepers
from blackstart.restore.lineage import aside_script
from blackstart.spec.resolve import wanted_datasets
from blackstart.torture.guest import look
from blackstart.torture.guest.machine import KEY, Guest
from blackstart.torture.run import Bootstrap, Seen, managed
from blackstart.torture.world import NOW, Dataset, Killed, Snapshot, Vault, World, Wrong
from blackstart.vault import layout
from blackstart.vault.record import load_record
from blackstart.vault.restore_plan import RESTORED, Plan, Target, dump

_TOOL = f"PYTHONPATH={layout.TOOL}/current python3 -m"
PATIENCE = 600.0  # seconds for a restore of kilobytes, on a computer that has other things to do


class Guids:
    """Hands out to the world what ZFS has just given, and numbers of its own where nothing was made for real."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self.given: list[int] = []
        self.numbers = numbers

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return self.given.pop(0) if self.given else next(self.numbers)


class OnGuest(Bootstrap):
    """A run whose hands are on a machine."""

    def __init__(self, guest: Guest, world: World, allowed: set[str], stop: int = 0, dataset: str = "") -> None:
        self.guest, self.stale = guest, set[str]()
        self._last: Seen | None = None
        super().__init__(world, allowed, stop, dataset)

    # -- reading

    def look(self) -> Seen:
        """Only what may have changed since is read again: the node, and each vault."""
        names, last = list(keepers(self.world.working)), self._last
        vaults = [name for name in names if last is None or name in self.stale]
        node = last is None or "" in self.stale
        live, fresh = look.read(self.guest, self.world, vaults, node)
        for name, reading in fresh.items():
            look.agree_vault(self.world, self.world.vaults[name], reading)
        if live:
            look.agree(self.world, live)
        readings = {name: fresh[name] if name in fresh or last is None else last.readings[name] for name in names}
        if live is None:
            assert last
            live = last.live
        self.stale = set()
        self._last = Seen(live, readings, *choose(readings, self.world.name))
        return self._last

    def changed(self, *where: str) -> None:
        """`where`: names of vaults, "" for the node; the node where nothing is said."""
        self.stale |= set(where or ("",))
        super().changed()

    def do(self, what: str, script: str, input: str | None = None) -> str:
        """A command of the tool; one that fails does what no story asked for. Raises Wrong."""
        try:
            return self.guest.run(script, input)
        except LabError as error:
            raise Wrong(f"{what} failed: {error}") from error

    # -- acts on the node

    def import_(self, guid: str) -> None:
        super().import_(guid)
        self.do(f"import {guid}", f"now {NOW}\n{import_command(guid)}")

    def create(self, name: str, command: str, law: Callable[[], None]) -> None:
        self.do(f"create {name}", f"now {NOW}\n{command}")
        guid = self.do("zpool list", shell("zpool", "list", "-Hp", "-o", "guid", name))
        self.give(guid)
        law()

    def give(self, *guids: str) -> None:
        numbers = self.world.numbers
        assert isinstance(numbers, Guids)
        numbers.given += [int(each) for each in guids]

    def make_dataset(self, name: str, command: str, encrypted: bool) -> None:
        super().make_dataset(name, command, encrypted)
        self.do(f"create {name}", command, base64.b64encode(KEY.encode()).decode() if encrypted else None)

    # -- acts on a vault

    def turned(self, vault: Vault) -> str:
        return f"turn {vault.pool} {NOW + vault.clock}\n"

    def written(self, vault: Vault) -> None:
        """The record is what the vault's own program made of it."""
        text = self.do("record", f"{self.turned(vault)}cat {layout.LIVE}/{self.world.name}/record.json")
        found = load_record(text)
        if vault.record is None or look.timeless(found) != look.timeless(vault.record):
            raise Wrong(f"the record on {vault.name} became {found}, right is {vault.record}")
        vault.record = found
        self.changed(vault.name)

    def tell(self, job: Job, **asked: object) -> None:
        super().tell(job, **asked)
        vault = self.world.vaults[job.vault]
        program = f"{_TOOL} blackstart.vault.restore_open {shell(self.world.name)}"
        self.do(f"restore_open {asked['do']}", f"{self.turned(vault)}{program}", json.dumps(asked))
        self.written(vault)

    def patch(self, vault: Vault, patch: dict[str, Any]) -> None:
        super().patch(vault, patch)
        program = f"{_TOOL} blackstart.vault.store {shell(self.world.name)}"
        text = json.dumps({"patch": patch, "event": {"event": "applied"}})
        self.do("store", f"{self.turned(vault)}{program}", text)
        self.written(vault)

    def aside(self, vault: Vault, name: str, word: str) -> None:
        super().aside(vault, name, word)
        script = aside_script(vault.pool, self.world.name, name, word)
        self.do(f"aside {name}", self.turned(vault) + shell("sh", "-c", script))
        self.changed(vault.name)

    # -- the data

    def bring(self, job: Job, todo: Plan) -> None:
        """The engine on the vault, by its plan; then the world learns what came of it."""
        vault = self.world.vaults[job.vault]
        target = Target("127.0.0.1", 22, " ".join(self.guest.host_key().split()[:2]))
        todo = replace(todo, target=target)
        left = self.stop - len(self.result.did) - 1
        if self.stop and left <= 0:
            raise Killed
        self.prepared(job, vault, todo)
        if self.stop and left <= 2 * len(todo.items):
            if not self.killed_in(vault, todo, left // 2):
                self.changed("", vault.name)
                raise Killed
            self.stop = 0
        else:
            self.restored(vault)
        super().bring(job, todo)
        self.changed("", vault.name)
        self.written(vault)
        self.holds_what_it_should(todo)

    def prepared(self, job: Job, vault: Vault, todo: Plan) -> None:
        """As operations/restore.py: steps, gate and keys on the node, the plan on the vault, and the unit is begun."""
        node = self.world.name
        wanted = {item.name: item for item in wanted_datasets(job.spec)}
        comments = {name: layout.pool_comment(todo.epoch, node) for name in managed(job.spec)}
        public = self.seen.readings[job.vault].keys
        assert isinstance(public, Present)
        files = steps.files(todo, wanted, {}, comments) | steps.access(public.value["restore"])
        keys = {item.dataset: KEY.encode() for item in todo.items if wanted[item.dataset].encryption}
        script = shell("sh", "-c", steps.install(steps.pools_of(todo)))
        self.do("install", f"{self.turned(vault)}{script}", steps.install_input(files, keys))
        self.do("plan", unit.put_plan(node), dump(todo))
        self.do("start", f"{self.turned(vault)}{unit.say_host_ready(node)}\n{unit.start(node)}")

    def restored(self, vault: Vault) -> None:
        """Waits for the unit's own end. Raises Wrong."""
        node = self.world.name
        wait = f"while systemctl -q is-active {unit.unit(node)}; do sleep 0.3; done"
        found = unit.parse_look(self.do("look", f"timeout {PATIENCE:.0f} sh -c {shell(wait)}\n{unit.look(node)}"))
        if found.state != "done":
            raise Wrong(f"the restore on {vault.name} ended as {found.state}: {'; '.join(found.errors)}")

    def killed_in(self, vault: Vault, todo: Plan, done: int) -> bool:
        """Kill it, and what it set going on the node, once so many datasets are in place. True: it was faster."""
        node = self.world.name
        status = f"{layout.node_folder(node)}/restore.json"
        count = f'$(grep -c \'"phase": "done"\' {status} 2>/dev/null || :)'
        wait = (
            f"until [ -e {status} ] && [ {count} -ge {done} ]; do\n"
            f"  systemctl -q is-active {unit.unit(node)} || break\ndone\n"
            f"systemctl kill -s KILL {unit.unit(node)} 2>/dev/null || :\n"
            f"while systemctl -q is-active {unit.unit(node)}; do sleep 0.2; done\n"
            # What came over the connection ends with it.
            f"n=0; while pgrep -u {layout.RESTORE} >/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.2; done\n"
        )
        found = unit.parse_look(self.do("look", f"{wait}{unit.look(node)}"))
        if found.state == "done":
            return True
        self.learn(todo)
        return False

    def learn(self, todo: Plan) -> None:
        """How far a run came that was killed: what is in its place, received whole or in part, is so in the world."""
        columns = f"name,{RESTORED},receive_resume_token"
        names = [name for item in todo.items for name in (item.dataset, item.landing)]
        ask = "; ".join(
            f"zfs list -Hp -o {columns} {shell(name)}; zfs list -Hp -d1 -t snapshot -o name,guid,creation {shell(name)}"
            for name in names
        )
        lines = [line.split("\t") for line in self.do("look", f"{{ {ask}; }} 2>/dev/null || :").splitlines()]
        chains: dict[str, list[Snapshot]] = {}
        for name, guid, creation in (line for line in lines if "@" in line[0]):
            dataset, _, snapshot = name.partition("@")
            chains.setdefault(dataset, []).append(Snapshot(snapshot, guid, int(creation)))
        found = {line[0]: line for line in lines if "@" not in line[0]}
        for name in names:
            pool = self.world.imported_as(name.split("/")[0])
            assert pool
            pool.datasets.pop(name, None)
            if name in found:
                _, mark, token = found[name]
                marked, cut = ("" if each == "-" else each for each in (mark, token))
                pool.datasets[name] = Dataset(chains.get(name, []), mark=marked, token=cut)
        for item in todo.items:  # parents that a cut-over made
            pool = self.world.imported_as(item.dataset.split("/")[0])
            parts = item.dataset.split("/")
            assert pool
            for depth in range(2, len(parts)) if item.dataset in pool.datasets else ():
                pool.datasets.setdefault("/".join(parts[:depth]), Dataset())

    def holds_what_it_should(self, todo: Plan) -> None:
        """By plain means: what is mounted in its place says which snapshot it is of, and is whole."""
        for item in todo.items:
            check = f"cat $(zfs get -H -o value mountpoint {shell(item.dataset)})/is"
            there = f"zfs get -Hp -o value mounted {shell(item.dataset)}"
            text = self.do(
                "look",
                f"w=$({there}); [ $w = yes ] || {{ zfs set mountpoint=/run/look-{item.guid} canmount=noauto "
                f"{shell(item.dataset)}; zfs mount {shell(item.dataset)}; }}\n{check}\n"
                f"zfs list -Hp -d1 -t snapshot -o guid {shell(item.dataset)}",
            ).split()
            if self.guest.contents.get(item.guid) != text[0] or item.guid not in text[1:]:
                raise Wrong(f"{item.dataset} should be as of {item.guid}, and holds the data of {text[0]}")
