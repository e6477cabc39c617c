"""A drill from its beginning to its end, over a vault in memory: what it makes, asks, judges, and leaves behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from isolated_world import ID, IMAGE, PARENT, REPLICAS, SEEN, TAKEN, World, config, container, snapshot, world

from blackstart.isolated import kept
from blackstart.isolated.ask import HelperError, Lost
from blackstart.isolated.config import Data
from blackstart.isolated.result import ProbeResult
from blackstart.isolated.run import Stopped


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world(tmp_path, monkeypatch)


def test_a_drill_that_passes_leaves_nothing_but_its_parent(vault: World) -> None:
    made = vault.play()
    assert (made.verdict, made.why) == ("passed", [])
    assert vault.made.keys() == {PARENT}
    assert [(each.name, each.network, each.state) for each in made.containers] == [
        ("crm", ("lo",), "good"),
        ("db", ("lo",), "good"),
    ]
    assert made.rpo == 600 and made.bytes == 80_000_000
    assert {each.part for each in made.steps} == {"clone", "image", "check", "start", "probe"}
    assert made.rto == sum(made.split.values())


def test_it_runs_these_commands_and_no_others(vault: World) -> None:
    """Clones of this node's replicas, below this node's parent; whatever it destroys it made itself."""
    vault.play()
    assert {words[0] for words in vault.commands} == {"zfs"}
    assert {words[1] for words in vault.commands} == {"list", "get", "create", "clone", "snapshot", "destroy"}
    for words in vault.commands:
        if words[1] in ("create", "clone", "snapshot", "destroy"):
            assert words[-1] == PARENT or words[-1].startswith(f"{PARENT}/")
        if words[1] == "destroy":
            assert len(words) == 3
        if words[1] == "clone":
            assert words[-2].startswith((f"{REPLICAS}/", f"{PARENT}/image-"))
            assert f"blackstart:drill={ID}" in words
    assert {words[0] for words in vault.asked} == {
        "open", "mount", "unpack", "prepare", "read", "start", "probe", "stop", "close",
    }  # fmt: skip


def test_files_are_read_before_anything_runs(vault: World) -> None:
    vault.play()
    order = [words[0] for words in vault.asked]
    assert max(i for i, verb in enumerate(order) if verb == "read") < order.index("start")


def test_what_a_killed_drill_left_is_cleared_first(vault: World) -> None:
    origin = str(snapshot("tank/data/crm", "older"))
    vault.made |= {PARENT: ("1", "", ""), f"{PARENT}/00-tank:data:crm": ("2", origin, "f" * 16)}
    made = vault.play()
    assert made.verdict == "passed"
    assert f"left by a drill that was killed: removed {PARENT}/00-tank:data:crm (guid 2)" in made.notes
    assert vault.made.keys() == {PARENT}


def test_what_no_drill_made_stays_and_is_said(vault: World) -> None:
    vault.made |= {PARENT: ("1", "", ""), f"{PARENT}/mine": ("2", "", "")}
    made = vault.play()
    assert f"{PARENT}/mine" in vault.made
    assert f"{PARENT}/mine was not made by a drill of node1: it stays" in made.notes


@pytest.mark.parametrize("known", ["by its spec", "by its replica"])
def test_encrypted_data_is_never_a_success(vault: World, known: str) -> None:
    if known == "by its spec":
        vault.config = config(data=(Data("tank/data/crm", True), Data("tank/lxc/db")))
    else:
        vault.encrypted = {f"{REPLICAS}/tank/data/crm"}
    made = vault.play()
    assert made.verdict == "incomplete"
    crm, db = made.datasets
    assert (crm.state, crm.guid, db.state) == ("unknown", "", "good")
    assert "its key is not on the vault" in crm.why
    assert [(each.name, each.state) for each in made.containers] == [("crm", "unknown"), ("db", "good")]
    assert made.containers[0].why.startswith("not started: tank/data/crm: it is encrypted")
    assert ("start", "crm") not in vault.asked and ("mount", "tank/data/crm") not in vault.asked


def test_encrypted_data_is_drilled_with_a_key_that_was_lent(vault: World) -> None:
    vault.encrypted, vault.keys = {f"{REPLICAS}/tank/data/crm"}, {"tank/data/crm"}
    assert vault.play().verdict == "passed"
    assert ("unlock", "tank/lxc/db") not in vault.asked


def test_a_key_that_does_not_open_it_fails(vault: World) -> None:
    vault.encrypted, vault.refuse = {f"{REPLICAS}/tank/data/crm"}, {"unlock": HelperError("Incorrect key provided")}
    made = vault.play()
    assert made.why[0] == "tank/data/crm: the key that was given does not open it: Incorrect key provided"
    assert made.verdict == "failed"


def test_a_dataset_that_never_arrived_fails(vault: World) -> None:
    vault.have = [snapshot("tank/lxc/db")]
    made = vault.play()
    assert made.verdict == "failed"
    assert made.why[0] == "tank/data/crm: nothing of it has arrived here: it would come back empty"


def test_a_probe_that_does_not_hold_fails(vault: World) -> None:
    vault.probe = ProbeResult("GET :8100/health", False, 60.2, "nothing answers at port 8100")
    made = vault.play()
    assert made.verdict == "failed"
    assert "container crm: GET :8100/health: nothing answers at port 8100" in made.why
    assert vault.made.keys() == {PARENT}


@pytest.mark.parametrize(
    ("refuse", "verdict", "said"),
    [
        ({"start": HelperError("it had a network (eth0)")}, "failed", "container crm: it had a network (eth0)"),
        ({"mount": HelperError("no")}, "failed", "tank/data/crm: it could not be cloned: no"),
        ({"unpack": HelperError("its sha256 is 12")}, "failed", "container crm: its image debian-13: its sha256 is 12"),
        ({"prepare": HelperError("no")}, "failed", "container crm: its release: no"),
        ({"read": Lost("root's program ended")}, "failed", "root's program ended"),
        ({"open": HelperError("refused")}, "failed", "refused"),
        ({"start": Stopped("it was stopped before its end")}, "failed", "it was stopped before its end"),
    ],
)
def test_whatever_goes_wrong_is_said_and_cleared(vault: World, refuse: dict[str, Any], verdict: str, said: str) -> None:
    vault.refuse = refuse
    made = vault.play()
    assert made.verdict == verdict and said in made.why
    assert not any(name.startswith(f"{PARENT}/") for name in vault.made)


def test_an_image_that_the_vault_does_not_have_is_unknown(vault: World, tmp_path: Path) -> None:
    (tmp_path / f"{IMAGE}.tar.zst").unlink()
    made = vault.play()
    assert made.verdict == "incomplete"
    assert made.why == ["container crm: the vault does not have its image debian-13"]


def test_an_older_snapshot_by_its_name(vault: World) -> None:
    older = snapshot("tank/data/crm", "blackstart_2020-01-01T00:00:00Z", "8000")
    vault.have.insert(0, older)
    made = vault.play(named=older.name)
    crm, db = made.datasets
    assert (crm.guid, crm.snapshot) == ("8000", older.name)
    assert (db.state, db.why) == ("unknown", f"there is no snapshot @{older.name} of it here")
    assert vault.play().datasets[0].snapshot == TAKEN


def test_content_that_changed_by_itself_fails_and_stays_a_failure(vault: World) -> None:
    assert vault.play().datasets[0].compared == 0
    assert vault.play().datasets[0].compared == 1
    vault.files = {"a": replace(SEEN["a"], sha256="0" * 64)}
    for _ in range(2):
        made = vault.play()
        assert made.verdict == "failed"
        assert "although nobody wrote to them: a" in made.why[0]
    vault.files = {"a": replace(SEEN["a"], sha256="0" * 64, mtime=9)}
    assert vault.play().verdict == "passed"


def test_files_that_cannot_be_read_fail(vault: World) -> None:
    vault.errors = ["b: Input/output error"]
    assert "tank/data/crm: files could not be read: b: Input/output error" in vault.play().why


def test_what_proves_little_is_told(vault: World) -> None:
    vault.config = config(containers=(container(probes=()),), idle=("db",))
    made = vault.play()
    assert made.verdict == "passed"
    assert "container crm has no probe: that it starts is all that is proven" in made.notes
    assert "container db is started by a person only: it was not started here" in made.notes


def test_what_is_kept_is_read_back(vault: World, tmp_path: Path) -> None:
    made = vault.play()
    kept.keep(tmp_path, made, "<html>")
    assert kept.last(tmp_path) == made
    assert (tmp_path / "reports" / f"{ID}.html").read_text() == "<html>"
    named = vault.play(named="x", id="e" * 16)
    kept.keep(tmp_path, named, "")
    assert kept.last(tmp_path) == made and (tmp_path / "passed.json").exists()
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2
