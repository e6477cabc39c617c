"""How fit a vault is for a rebuild, by the same exec: room, packages, commits, notes, the last outcome."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from test_vault_records import answer, framed

from blackstart.reading import NOT_ASKED, Present, Unknown
from blackstart.vault import layout
from blackstart.vault.fitness import Notes, Proof, Room
from blackstart.vault.records import parse
from blackstart.vault.records_script import outcome_script, script

KEYS = {"format": 1, "keys": {"tank/data/db": {"guid": "77", "at": 1763770000, "by": "ops@laptop"}, "odd": 3}}
FAILED = {"format": 1, "at": 1, "seconds": 1.0, "arrived": {}, "failed": {"tank/data/crm": "no new snapshot: full"}}


def lines(node: str, name: str, document: object) -> str:
    return "".join(f"{layout.LIVE}/{node}/{name}.json:{line}\n" for line in json.dumps(document, indent=1).splitlines())


def test_what_was_not_asked_for_is_unknown() -> None:
    reading = parse(answer(), "backup")
    assert {reading.room, reading.packages, reading.commits, reading.notes, reading.outcome} == {NOT_ASKED}


def test_room_packages_and_commits() -> None:
    more = {
        "room": framed("room", "ONLINE\toff\n4096\t8192"),
        "packages": framed("packages", f"{'a' * 64}.deb\nnano {'a' * 64}\nlxc {'b' * 64}\nnano {'c' * 64}"),
        "commits": framed("commits", "c0ffee\nfacade"),
    }
    reading = parse(answer(**more), "backup")
    assert reading.room == Present(Room("ONLINE", False, 4096, 8192))
    assert reading.packages == Present({"nano": True, "lxc": False})
    assert reading.commits == Present(("c0ffee", "facade"))
    assert parse(answer(packages=framed("packages")), "backup").packages == Present({})


@pytest.mark.parametrize("name", ["room", "packages", "commits", "notes", "outcome"])
def test_a_section_that_failed_says_why(name: str) -> None:
    reading = parse(answer(**{name: framed(name, err="/srv/x is not mounted", status=1)}), "backup")
    assert getattr(reading, name) == Unknown("/srv/x is not mounted")
    cut = parse(answer(**{name: f"+{name}\n|something"}), "backup")
    assert getattr(cut, name) == Unknown("the vault's answer was cut off")


def test_notes_by_node_and_junk_proves_nothing() -> None:
    text = lines("node1", "keys", KEYS) + lines("node1", "replication", FAILED) + f"{layout.LIVE}/node2/keys.json:junk"
    reading = parse(answer(notes=framed("notes", text)), "backup")
    assert reading.notes == Present(
        {
            "node1": Notes(
                {"tank/data/db": Proof("77", 1763770000, "ops@laptop")}, {"tank/data/crm": "no new snapshot: full"}
            ),
            "node2": Notes(),
        }
    )
    assert isinstance(parse(answer(notes=framed("notes", "what?")), "backup").notes, Unknown)


def test_the_last_outcome() -> None:
    event = json.dumps({"format": 1, "event": "rebuilt", "rto": 90.5})
    assert parse(answer(outcome=framed("outcome", event)), "backup").outcome == Present(json.loads(event))
    assert parse(answer(outcome=framed("outcome", "")), "backup").outcome == Present({})


def test_the_script_on_folders_of_a_vault(tmp_path: Path) -> None:
    """mountpoint(1) is said to agree; everything else is what a vault has."""
    live, packages, bin_ = tmp_path / "live", tmp_path / "packages", tmp_path / "bin"
    for folder in (live / "node1", packages, bin_):
        folder.mkdir(parents=True)
    (live / "node1" / "keys.json").write_text(json.dumps(KEYS, indent=1))
    (live / "node1" / "journal.jsonl").write_text(
        "".join(f'{{"event": "rebuilt", "format": 1, "rto": {n}}}\n{{"event": "x", "format": 1}}\n' for n in (1, 2))
    )
    (packages / f"{'a' * 64}.deb").touch()
    (packages / "Packages").write_text(f"Package: nano\nVersion: 8\nFilename: ./x\nSHA256: {'a' * 64}\n\n")
    (bin_ / "mountpoint").write_text("#!/bin/sh\n")
    (bin_ / "mountpoint").chmod(0o755)
    text = script("nopool", fit=True) + outcome_script("node1")
    text = (
        text.replace(layout.LIVE, str(live))
        .replace(layout.PACKAGES, str(packages))
        .replace("PATH=/usr/sbin", f"PATH={bin_}:/usr/sbin")
    )
    said = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout
    reading = parse(said.replace(str(live), layout.LIVE), "nopool")
    assert isinstance(reading.notes, Present) and set(reading.notes.value["node1"].keys) == {"tank/data/db"}
    assert reading.packages == Present({"nano": True})
    assert reading.outcome == Present({"event": "rebuilt", "format": 1, "rto": 2})
    assert isinstance(reading.room, Unknown)
    assert reading.commits == Present(())


def test_a_folder_that_is_not_mounted_is_not_empty() -> None:
    said = subprocess.run(["sh", "-c", script("nopool", fit=True)], capture_output=True, text=True, check=True).stdout
    reading = parse(said, "nopool")
    assert reading.packages == Unknown(f"{layout.IMAGES} is not mounted")
    assert reading.commits == Unknown(f"{layout.SPECS} is not mounted")
    assert reading.notes == Unknown(f"{layout.LIVE} is not mounted")
