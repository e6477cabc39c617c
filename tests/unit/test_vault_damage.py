"""What a vault's disks do not give back: how it is found by reading, what is noted, and when a replica makes way."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import valid
from rebuild_world import rebuild, record

from blackstart.blackbox.entry import journalled
from blackstart.vault import damage, layout, records, whole
from blackstart.vault.config import Keep, Replication
from blackstart.vault.damage import Damage
from blackstart.vault.record import dump_record
from blackstart.vault.records_script import script
from blackstart.vault.restore_lock import held
from blackstart.vault.store import Store
from blackstart.vault.zfs import CommandError, Snapshot, read_through

ROOT = "bank/vault/replicas/node1"
CRM, DB = "tank/data/crm", "tank/data/db"
NOW = 1_790_000_000
IO = "warning: cannot send 'bank/vault/replicas/node1/tank/data/crm@s': Input/output error"


def chain(dataset: str, *guids: str) -> list[Snapshot]:
    return [Snapshot(f"{ROOT}/{dataset}", f"s{at}", guid, NOW + at) for at, guid in enumerate(guids)]


def test_what_is_an_error_of_the_vaults_own_disk() -> None:
    assert damage.unreadable(f"zfs send: {IO}")
    assert not damage.unreadable("node1: cannot receive new filesystem stream: Input/output error")
    assert not damage.unreadable("cannot send 'a@b': dataset does not exist")


@pytest.mark.parametrize(
    ("text", "errors"),
    [("errors: No known data errors\n", 0), ("\nerrors: 3 data errors, use '-v' for a list\n", 3)],
)
def test_how_many_errors_zfs_counts(text: str, errors: int) -> None:
    assert damage.count(f"  pool: bank\n state: ONLINE\n{text}") == errors


@pytest.mark.parametrize("text", ["", "errors: List of errors unavailable: permission denied\n"])
def test_a_count_that_was_not_given_is_not_none(text: str) -> None:
    with pytest.raises(ValueError, match="how many data errors"):
        damage.count(text)


@pytest.mark.parametrize("first_bad", range(9))
def test_the_newest_whole_one_is_found_by_halves_and_was_read(first_bad: int) -> None:
    have = chain(CRM, *"abcdefgh")
    read: list[str] = []

    def why(base: Snapshot | None, snapshot: Snapshot) -> str:
        assert base is None or have.index(base) < first_bad
        read.append(snapshot.guid)
        return "bad" if have.index(snapshot) >= first_bad else ""

    bad, good = damage.look(have, (), why)
    assert len(read) <= 4 and {*bad, *good} == {*read}
    if first_bad == 8:
        assert good == {"h"} and not bad
    else:
        assert "h" in bad and (max(good) == "abcdefgh"[first_bad - 1] if first_bad else not good)


def test_of_a_chain_that_was_read_only_what_is_new_is_read() -> None:
    asked: list[tuple[str, str]] = []

    def why(base: Snapshot | None, snapshot: Snapshot) -> str:
        asked.append((base.guid if base else "", snapshot.guid))
        return ""

    assert damage.look(chain(CRM, *"abc"), {"c"}, why) == ({}, set()) and not asked
    assert damage.look(chain(CRM, *"abcd"), {"a", "b"}, why) == ({}, {"d"})
    assert asked == [("b", "d")]


def test_what_was_damaged_before_is_read_from_the_last_whole_one() -> None:
    have = chain(CRM, *"abcd")
    assert damage.base(have, have[3], {"a", "b", "d"}) == have[1]
    assert damage.base(have, have[0], {"a", "b"}) is None


def test_while_damage_stays_what_is_whole_is_not_read_again_and_again() -> None:
    asked: list[tuple[str, str]] = []

    def why(base: Snapshot | None, snapshot: Snapshot) -> str:
        asked.append((base.guid if base else "", snapshot.guid))
        return "bad"

    assert damage.look(chain(CRM, *"abcde"), {"a", "c"}, why) == ({"e": "bad", "d": "bad"}, set())
    assert asked == [("c", "e"), ("c", "d")]


def test_a_note_is_read_as_written_and_gone_when_it_says_nothing(tmp_path: Path) -> None:
    assert damage.read(tmp_path) == Damage()
    damage.write(tmp_path, Damage(2, {}, ("7", "8")))
    damage.note(tmp_path, "7", "Input/output error")
    assert damage.read(tmp_path) == Damage(2, {"7": "Input/output error"})
    valid("damage", (tmp_path / damage.NAME).read_text())
    damage.write(tmp_path, Damage())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "errors": 1, "bad": [], "whole": []}'])
def test_a_note_that_cannot_be_understood_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / damage.NAME).write_text(text)
    with pytest.raises(ValueError):
        damage.read(tmp_path)


def test_the_one_exec_brings_every_nodes_note(tmp_path: Path) -> None:
    for node in ("node1", "node2", "node3"):
        (tmp_path / node).mkdir()
    damage.note(tmp_path / "node1", "7", "Input/output error")
    damage.note(tmp_path / "node3", "9", "Input/output error")
    prelude = script("bank").partition("set -- ")[0].partition("section clock")[0]
    text = subprocess.run(
        ["sh", "-c", f"{prelude}LIVE={tmp_path}\n{damage.SECTION}"], capture_output=True, text=True, check=True
    ).stdout.replace(str(tmp_path), layout.LIVE)
    lines = records._sections(text)["damage"].lines
    assert damage.by_node([line for line in lines if line]) == {
        "node1": {"7": "Input/output error"},
        "node3": {"9": "Input/output error"},
    }
    with pytest.raises(ValueError, match="no line of a note"):
        damage.by_node(["junk"])


@pytest.mark.parametrize(
    ("age", "need", "free", "words"),
    [
        (60, 100, 106, ""),
        (60, 100, 104, "are free"),
        (2000, 100, 1000, "may be all there is"),
        (-1, 100, 1000, "may be all there is"),  # by a clock that was set back
    ],
)
def test_a_replica_makes_way_only_for_a_living_node_and_with_room(age: int, need: int, free: int, words: str) -> None:
    said = damage.stays(age, 600, need * 10**6, free * 10**6)
    assert words in said and bool(said) == bool(words)


class Vault:
    """A pool as a table. `bad`: guids that cannot be read; `ran`: what was done to it."""

    def __init__(self) -> None:
        self.have = [*chain(CRM, "1", "2", "3"), *chain(DB, "4", "5")]
        self.bad: set[str] = set()
        self.errors = 0
        self.read: list[str] = []
        self.ran: list[tuple[str, ...]] = []
        self.free = 10**9

    def run(self, *words: str) -> str:
        if words[:2] == ("zpool", "status"):
            return f"errors: {self.errors or 'No known'} data errors\n"
        if "available" in words:
            return f"{self.free}\n"
        if "referenced" in words:
            return "1000000\n" * (len(words) - 6)
        self.ran.append(words)
        return ""

    def send(self, *words: str) -> None:
        name = words[-1]
        self.read.append(" ".join(words[3:]).replace(f"{ROOT}/", ""))
        if next(each.guid for each in self.have if str(each) == name) in self.bad:
            raise CommandError(IO)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = Vault()
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    monkeypatch.setattr(whole, "Store", lambda node: Store(node, str(tmp_path)))
    monkeypatch.setattr(whole, "run", made.run)
    monkeypatch.setattr(whole, "read_through", made.send)
    monkeypatch.setattr(whole, "snapshots", lambda root: made.have)
    (tmp_path / "node1").mkdir()
    (tmp_path / "node1/record.json").write_text(dump_record(record()))
    arrived = {CRM: {"snapshot": "s2", "guid": "3"}, DB: {"snapshot": "s1", "guid": "5"}}
    (tmp_path / "node1/replication.json").write_text(json.dumps({"at": NOW - 60, "arrived": arrived}))
    return made


Looking = Callable[[], list[str]]


@pytest.fixture
def look() -> Looking:
    wishes = Replication("node1", "vault1", "bank", (CRM, DB), 600, 3600, Keep(1, 1, 1))
    return lambda: whole.Look(wishes, NOW).run()


def noted(tmp_path: Path) -> Damage:
    return damage.read(tmp_path / "node1")


def test_while_zfs_counts_nothing_nothing_is_read(vault: Vault, look: Looking, tmp_path: Path) -> None:
    vault.bad = {"3"}
    assert look() == [] and not vault.read and not vault.ran
    assert not (tmp_path / "node1" / damage.NAME).exists()


def test_an_error_elsewhere_costs_one_reading(vault: Vault, look: Looking, tmp_path: Path) -> None:
    vault.errors = 1
    assert look() == [] and vault.read == [f"{CRM}@s2", f"{DB}@s1"]
    assert noted(tmp_path) == Damage(1, {}, ("3", "5"))
    assert look() == [] and len(vault.read) == 2
    vault.errors = 2
    look()
    assert len(vault.read) == 4


def test_a_damaged_replica_makes_way_and_nothing_is_destroyed(vault: Vault, look: Looking, tmp_path: Path) -> None:
    vault.errors, vault.bad = 1, {"2", "3"}
    assert look() == []
    assert noted(tmp_path).bad == dict.fromkeys(("2", "3"), "Input/output error")
    aside = "bank/vault/replicas/node1.damaged-3/tank/data/crm"
    assert [each[:2] for each in vault.ran] == [("zfs", "create"), ("zfs", "rename")]
    assert vault.ran[1] == ("zfs", "rename", f"{ROOT}/{CRM}", aside)
    line = (tmp_path / "node1/journal.jsonl").read_text()
    valid("journal", line)
    said = journalled("node1", json.loads(line))
    assert said and aside in said.text


@pytest.mark.parametrize("lost", ["rebuild", "silent", "room", "busy"])
def test_what_may_be_all_there_is_stays(vault: Vault, look: Looking, tmp_path: Path, lost: str) -> None:
    vault.errors, vault.bad = 1, {"3"}
    if lost == "rebuild":
        (tmp_path / "node1/record.json").write_text(dump_record(record(rebuild=rebuild())))
    elif lost == "silent":
        (tmp_path / "node1/replication.json").unlink()
    elif lost == "room":
        vault.free = 10
    else:
        with held(tmp_path / "node1", "someone", "a restore"):
            (said,) = look()
        assert "someone" in said and not vault.ran
        return
    (said,) = look()
    assert "it stays: " in said and not vault.ran
    assert noted(tmp_path).bad == {"3": "Input/output error"} and "2" in noted(tmp_path).whole


def test_what_is_read_goes_nowhere_and_its_error_is_in_words_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """ZFS words its errors in the language of whoever asks."""
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    read_through("sh", "-c", "head -c 5000000 /dev/zero; echo progress >&2")
    with pytest.raises(CommandError, match=r"^C; cannot send 'a@b': Input/output error$"):
        read_through("sh", "-c", "echo $LC_ALL >&2; echo \"cannot send 'a@b': Input/output error\" >&2; exit 1")
    with pytest.raises(CommandError, match="no-such-program"):
        read_through("no-such-program")


def test_what_a_restore_could_not_read_is_tried_again_and_cleared(vault: Vault, look: Looking, tmp_path: Path) -> None:
    """A cable, and no rot: ZFS counts nothing any more."""
    damage.write(tmp_path / "node1", Damage(0, {"3": "Input/output error", "1": "Input/output error"}))
    assert look() == [] and not vault.ran
    assert vault.read == [f"{CRM}@s2", f"{CRM}@s0"] and not noted(tmp_path).bad
