"""bootstrap.py's and site.py's guard over given readings: what is refused, and the exact commands where it goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.command import FunctionCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import (
    GUID,
    NOW,
    OS_DISK,
    OTHER,
    dataset,
    disk,
    live,
    node_spec,
    on_disks,
    pool,
    rebuild,
    record,
)
from test_restore_outline import replicas

from blackstart.converge.wanted import Wanted, WantedPool
from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.restore.job import Asks
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from facts.record import VaultRecords
from operations import bootstrap, verdict
from operations import live as live_operations
from operations import rebuild as rebuild_operations
from operations import record as record_operations
from operations import restore as restore_operations

THERE = tuple(dataset(name) for name in ("tank/data/crm", "tank/data/db", "tank/lxc/db"))
NEW_DISKS = (*OS_DISK, disk("ata-X", "sdb"), disk("ata-Y", "sdc"))


class Node:
    name = "node1"
    data: dict[str, Any] = {}

    def __init__(self, reading: Live) -> None:
        self.reading, self.said = reading, []  # type: ignore[var-annotated]

    def get_fact(self, fact: Any, **arguments: Any) -> Live:
        return self.reading

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)


class Vault:
    name, connected = "vault1", True

    def __init__(self, reading: VaultReading) -> None:
        self.reading = reading

    def get_fact(self, fact: Any, **arguments: Any) -> VaultReading:
        assert fact is VaultRecords and arguments == {"pool": "tank"}
        return self.reading


def vault(known: Reading[Record]) -> Vault:
    records: Any = (
        Present({"node1": known}) if isinstance(known, Present) else Present({}) if known == ABSENT else known
    )
    held = Present({"node1": replicas()})
    return Vault(replace(unknown("not asked"), records=records, replicas=held, clock=Present(NOW), keys=Present({})))


def wishes(spec: NodeSpec, epoch: int | None) -> Wanted:
    made = {
        n: WantedPool(spec.name, p.vdevs, p.ashift, p.properties, p.managed, epoch) for n, p in spec.node.pools.items()
    }
    return Wanted(pools=made)


WAYS = bootstrap.Ways(wishes, lambda job, made: None, Path("/nowhere"), "ops@laptop", "abc")
Go = Callable[..., tuple[list[Any], list[str]]]


@pytest.fixture
def go() -> Iterator[Go]:
    def clear() -> None:
        live_operations._kept.clear()
        record_operations._kept.clear()
        verdict._said.clear()

    def run(
        operation: Any, reading: Live, known: Reading[Record], *arguments: Any, **more: Any
    ) -> tuple[list[Any], list[str]]:
        clear()
        node, keeper = Node(reading), vault(known)
        inventory = SimpleNamespace(get_host=lambda name: keeper)
        state = SimpleNamespace(is_executing=True, inventory=inventory)
        with ctx_state.use(state), ctx_host.use(node):  # type: ignore[arg-type]
            return list(operation._inner(*arguments, **more)), node.said

    yield run
    clear()


def asked(go: Go, reading: Live, known: Reading[Record], **asks: Any) -> tuple[list[Any], list[str]]:
    return go(bootstrap.bootstrap, reading, known, node_spec(), Asks(**asks), WAYS)


def test_an_intact_node_yields_nothing_and_says_what_differs(go: Go) -> None:
    commands, said = asked(go, live(pools=(pool(),), datasets=THERE), Present(record()))
    assert commands == [] and said[0] == "node1: intact"


@pytest.mark.parametrize(
    ("reading", "known", "words", "then"),
    [
        (live(disks=NEW_DISKS), Present(record()), "ata-A is not there", "disks=ata-A=ata-X,ata-B=ata-Y"),
        (live(), ABSENT, "has no record of node1", "enroll=yes"),
        (live(), Unknown("no route to host"), "no route to host", "blackstart why node1"),
        (live(pools=(pool(OTHER, None),)), Present(record()), "not the recorded one", "zpool status"),
        (live(pools=(pool(OTHER, 1),)), Present(record(epoch=2)), "was replaced since", "blackstart why node1"),
        (
            live(pools=(pool(),), datasets=THERE[1:]),
            Present(record()),
            "the vault has it",
            "restore node1/tank/data/crm",
        ),
    ],
)
def test_a_refusal_is_one_command_that_fails_with_the_reason_and_the_next_line(
    go: Go, reading: Live, known: Reading[Record], words: str, then: str
) -> None:
    commands, _ = asked(go, reading, known)
    (command,) = commands
    assert words in command and then in command and command.endswith(">&2; exit 1")


def test_a_blank_node_is_shown_before_it_is_touched_and_keys_are_asked_for_first(go: Go) -> None:
    commands, said = asked(go, live(), Present(record()))
    (command,) = commands
    assert "its key is not at hand: file:keys/db.key" in command
    assert any("you lose 23 min" in line for line in said)
    commands, _ = asked(go, live(), Present(record()), plan_only=True)
    assert len(commands) == 1 and isinstance(commands[0], str)


def test_what_is_importable_is_carried_out(go: Go) -> None:
    commands, said = asked(go, live(importable=(on_disks(state="DEGRADED"),)), Present(record()))
    (command,) = commands
    assert isinstance(command, FunctionCommand)
    assert any("DEGRADED: replace the missing leg by hand" in line for line in said)


def job(reading: Live, known: Record, go: Go, **asks: Any) -> Any:
    made: list[Any] = []

    class Ask:
        @staticmethod
        def _inner() -> list[Any]:
            made.append(bootstrap.job_of(node_spec(), Asks(**asks), WAYS)[0])
            return []

    go(Ask, reading, Present(known))
    return made[0]


def test_the_one_import_is_by_guid_and_mounts_nothing(go: Go) -> None:
    reading, known = live(importable=(on_disks(),)), record()
    commands, _ = go(rebuild_operations.pools, reading, Present(known), job(reading, known, go))
    assert commands == [f"zpool import -N -f -o cachefile=/etc/zfs/zpool.cache {GUID}"]


def test_a_pool_is_made_without_force_on_the_members_that_were_given_with_the_new_epoch(go: Go) -> None:
    reading, known = live(disks=NEW_DISKS), record(rebuild=rebuild(disks={"ata-A": "ata-X", "ata-B": "ata-Y"}))
    commands, _ = go(rebuild_operations.pools, reading, Present(known), job(reading, known, go))
    (command,) = commands
    assert command.startswith("zpool create -o ashift=12 -o 'comment=blackstart e2 node1'")
    assert command.endswith("tank mirror /dev/disk/by-id/ata-X /dev/disk/by-id/ata-Y")
    assert " -f" not in command


def test_disks_that_filled_up_between_judging_and_making_are_not_used(go: Go) -> None:
    known = record()
    before = job(live(), known, go)
    taken = live(disks=(*OS_DISK, disk("ata-A", "sdb", signature=Present("ext4")), disk("ata-B", "sdc")))
    commands, _ = go(rebuild_operations.pools, taken, Present(known), before)
    (command,) = commands
    assert "ext4" in command and command.endswith(">&2; exit 1")


@pytest.mark.parametrize(
    ("reading", "known", "enroll", "words"),
    [
        (live(pools=(pool(),), datasets=THERE), Present(record()), False, None),
        (live(), ABSENT, True, None),
        (live(), ABSENT, False, "enroll=yes"),
        (live(), Present(record()), True, "has to be rebuilt"),
        (live(importable=(on_disks(),)), Present(record()), True, "the system was lost, the data was not"),
        (live(), Unknown("no answer"), True, "no answer"),
        (live(pools=(pool(),), datasets=THERE[1:]), Present(record()), False, "blackstart restore"),
    ],
)
def test_site_goes_on_only_for_an_intact_node_and_a_new_one_told_to_enroll(
    go: Go, reading: Live, known: Reading[Record], enroll: bool, words: str | None
) -> None:
    arguments = {"spec": node_spec(), "wanted": Wanted(), "enroll": enroll, "disks": {}}
    commands, _ = go(verdict.may_apply, reading, known, **arguments)
    assert len(commands) == (words is not None)
    assert all(words in command and "exit 1" in command for command in commands)


def two_pools() -> tuple[Any, Record]:
    """tank, and fast with a replicated dataset of its own; the record knows each by its guid."""
    one = {"vdevs": [{"members": [{"id": "ata-A", "size": "4GB"}]}]}
    two = {"vdevs": [{"members": [{"id": "ata-B", "size": "4GB"}]}]}
    spec = node_spec(pools={"tank": one, "fast": two})
    known = record(spec)
    return spec, replace(known, pools=known.pools | {"fast": replace(known.pools["fast"], guid=OTHER)})


def planned(go: Go, spec: Any, reading: Live, known: Record) -> Any:
    found: list[Any] = []

    class Ask:
        @staticmethod
        def _inner() -> list[Any]:
            made = bootstrap.job_of(spec, Asks(), WAYS)[0]
            found.append(restore_operations.outline_of(made, made.verdict.epoch, with_keys=False))
            return []

    go(Ask, reading, Present(known))
    return found[0]


def test_one_lost_pool_never_takes_the_living_data_of_another_back_to_a_snapshot(go: Go) -> None:
    spec, known = two_pools()
    alive = planned(go, spec, live(pools=(pool(),), datasets=THERE[1:]), known)
    assert [each.dataset for each in alive.chosen] == ["tank/data/crm"] and not alive.refusals
    assert "stays as it is" in alive.left["tank/data/db"]
    # Not imported yet: what it holds is known only afterwards, and it is not exchanged either.
    assert planned(go, spec, live(importable=(on_disks(),)), known).chosen == []
    unread = planned(go, spec, live(pools=(pool(),), datasets=Unknown("a timeout")), known)
    assert "could not be read: a timeout" in unread.refusals[0]


def test_a_pool_that_was_imported_without_a_dataset_does_not_get_it_empty(go: Go) -> None:
    known = record()
    before = job(live(importable=(on_disks(),)), known, go)
    before = replace(before, wanted=replace(before.wanted, datasets={d.name: d for d in wanted_datasets(before.spec)}))
    after = live(pools=(pool(),), datasets=THERE[1:])
    commands, _ = go(rebuild_operations.nothing_lost, after, Present(known), before, ())
    (command,) = commands
    assert "the vault has it" in command and "blackstart restore node1/tank/data/crm" in command
    assert go(rebuild_operations.nothing_lost, after, Present(known), before, ["tank/data/crm"])[0] == []
    whole = live(pools=(pool(),), datasets=THERE)
    assert go(rebuild_operations.nothing_lost, whole, Present(known), before, ())[0] == []
    (command,) = go(rebuild_operations.nothing_lost, live(datasets=Unknown("why")), Present(known), before, ())[0]
    assert "could not be read: why" in command


def test_a_pool_that_was_importable_and_is_gone_is_not_made_empty(go: Go) -> None:
    known = record()
    before = job(live(importable=(on_disks(),)), known, go)
    (command,) = go(rebuild_operations.pools, live(), Present(known), before)[0]
    assert "is gone; run it again" in command and command.endswith("exit 1")


@pytest.mark.parametrize(("others", "epoch"), [((), 1), ((3,), 3)])
def test_a_vault_that_joins_later_begins_at_the_epoch_the_node_has(
    go: Go, monkeypatch: pytest.MonkeyPatch, others: tuple[int, ...], epoch: int
) -> None:
    def knows(found: dict[str, Any]) -> VaultReading:
        return replace(unknown("not asked"), records=Present(found))

    fresh = {"vault9": knows({})}
    known = {f"vault{at}": knows({"node1": Present(record(epoch=each))}) for at, each in enumerate(others)}
    monkeypatch.setattr(record_operations, "readings", lambda spec: fresh | known)
    arguments = {"wanted": Wanted(), "spec": node_spec(), "commit": "abc123", "by": "ops"}
    commands, _ = go(record_operations.recorded, live(pools=(pool(),)), ABSENT, **arguments)
    said = {command.args[0]: json.loads(command.args[2])["patch"] for command in commands}
    assert said["vault9"]["epoch"] == epoch
    assert set(said) == {"vault9"}


def test_a_vault_that_was_away_during_a_rebuild_learns_the_epoch(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"old": record(epoch=1), "new": record(epoch=2)}
    found = {
        name: replace(unknown("not asked"), records=Present({"node1": Present(each)})) for name, each in both.items()
    }
    monkeypatch.setattr(record_operations, "readings", lambda spec: found)
    arguments = {"wanted": Wanted(), "spec": node_spec(), "commit": "abc123", "by": "ops"}
    commands, _ = go(record_operations.recorded, live(pools=(pool(),)), ABSENT, **arguments)
    assert [(c.args[0], json.loads(c.args[2])["patch"]["epoch"]) for c in commands] == [("old", 2)]
