"""bootstrap.py's and site.py's guard over given readings: what is refused, and the exact commands where it goes on."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.command import FunctionCommand

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import NEW_DISKS, THERE, WAYS, Go, Vault, asked, job
from rebuild_world import GUID, NOW, OS_DISK, OTHER, disk, live, node_spec, on_disks, pool, rebuild, record

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.restore.job import Asks
from blackstart.typed import MARK
from blackstart.vault.lock import holder
from blackstart.vault.record import Record
from operations import bootstrap, verdict
from operations import rebuild as rebuild_operations


def test_an_intact_node_yields_nothing_and_says_what_differs(go: Go) -> None:
    commands, said = asked(go, live(pools=(pool(),), datasets=THERE), Present(record()))
    assert commands == [] and "node1: intact" in said


def test_a_node_that_lives_does_not_go_back_and_says_so(go: Go) -> None:
    commands, said = asked(go, live(pools=(pool(),), datasets=THERE), Present(record()), at="2026-11-01")
    words = " ".join(said)
    assert commands == [] and "node1 lives, so nothing of it goes back to 2026-11-01" in words
    assert "blackstart restore node1/tank/data/crm --at=2026-11-01" in words


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


def test_what_somebody_else_is_at_work_on_is_refused_by_their_name_first(
    go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vault, "lock", holder("bob@desk", "c0ffee", "bootstrap.py", NOW, "r1"))
    (command,), _ = asked(go, live(disks=NEW_DISKS), Present(record()))
    assert "node1: somebody else works on it: bob@desk (bootstrap.py), since " in command
    assert "wait, or ask them. Seen meanwhile: node1: " in command


@pytest.mark.parametrize("typed", [True, False])
def test_a_refusal_under_blackstarts_own_command_is_said_once(
    go: Go, monkeypatch: pytest.MonkeyPatch, typed: bool
) -> None:
    """pyinfra's own question stands between the two, where it asks one: then the first is read before it."""
    monkeypatch.setenv(MARK, "1") if typed else monkeypatch.delenv(MARK, raising=False)
    commands, said = asked(go, live(disks=NEW_DISKS), Present(record()))
    (command,) = commands
    assert any("next:" in line for line in said) is not typed
    assert ("Next: blackstart rebuild node1 --disks ata-A=" in command) is typed


@pytest.mark.parametrize("operation", [bootstrap.bootstrap, bootstrap.restore])
@pytest.mark.parametrize("typed", [True, False])
def test_so_is_a_plan_that_is_refused_with_every_reason(
    go: Go, monkeypatch: pytest.MonkeyPatch, operation: Any, typed: bool
) -> None:
    monkeypatch.setenv(MARK, "1") if typed else monkeypatch.delenv(MARK, raising=False)
    whole = operation is bootstrap.bootstrap
    asks = Asks(at="2001-01-01", dataset="" if whole else "tank/data/crm")
    reading = live() if whole else live(pools=(pool(),), datasets=THERE)
    (command,), said = go(operation, reading, Present(record()), node_spec(), asks, WAYS)
    reasons = re.findall(r"^.*node1: (tank/\S+): no snapshot 2001-01-01", command, re.MULTILINE)
    assert reasons == (["tank/data/crm", "tank/data/db", "tank/lxc/db"] if whole else ["tank/data/crm"])
    assert "Next: blackstart why node1" in command
    plan = "\n".join(said)
    assert "comes back" in plan
    assert ("no snapshot" in plan) is ("next:" in plan) is not typed


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


def test_before_anything_is_changed_site_says_whose_data_stays_behind(go: Go) -> None:
    """Not where it is refused: then nothing begins empty."""
    here = node_spec()
    here = here.model_copy(update={"containers": {"crm": here.containers["crm"]}})
    other = node_spec().model_copy(update={"name": "node2", "containers": {"db": node_spec().containers["db"]}})
    nodes = {"node1": here, "node2": other}
    arguments = {"spec": here, "wanted": Wanted(), "enroll": False, "disks": {}, "nodes": nodes}
    commands, said = go(verdict.may_apply, live(pools=(pool(),), datasets=THERE), Present(record()), **arguments)
    assert commands == [] and " ".join(" ".join(said).split()) == (
        "container db is not in the spec of node1 any more, node2 has it now: its data does not move by itself "
        "(docs/retire.md, Moving or renaming a container)"
    )
    commands, said = go(verdict.may_apply, live(datasets=THERE), Present(record()), **arguments)
    assert len(commands) == 1 and not any("does not move" in line for line in said)


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
    arguments = {"spec": node_spec(), "wanted": Wanted(), "enroll": enroll, "disks": {}, "nodes": {}}
    commands, _ = go(verdict.may_apply, reading, known, **arguments)
    assert len(commands) == (words is not None)
    assert all(words in command and "exit 1" in command for command in commands)
