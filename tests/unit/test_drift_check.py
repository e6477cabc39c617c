"""A vault's check from end to end, with a look that is given: files, announcements, and what goes wrong."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from documents import valid

from blackstart.announce.send import AnnounceError, name
from blackstart.drift.finding import Finding
from blackstart.drift.schedule import Schedule
from blackstart.vault import drift, files, layout
from blackstart.vault.alone import Busy, alone
from blackstart.vault.freshness import Age

PLAN = Schedule("vault1", ("node1",), 3600, 2, "node1")
QUOTA = Finding("drift", "node1", "dataset", "tank/data/db", "quota", "10G", "20G")
NOT_READ = Finding("unknown", "node1", "host", "node1", live="no answer within 120 s")
CHAT, MAIL = "json://chat/s3cret", "mailto://s3cret"


class Vault:
    """A vault's folder, with places to tell; `says` is what the next look prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "announce").write_text(f"{CHAT}\n{MAIL}\n")
        self.told: list[tuple[str, str]] = []
        self.down: set[str] = set()
        self.marks = 0

    def tell(self, url: str, title: str, text: str) -> None:
        if url in self.down:
            raise AnnounceError("it was not taken")
        self.told.append((url, title))

    def look(self, plan: Schedule) -> str:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def mark(self, plan: Schedule, now: int) -> None:
        self.marks += 1

    def check(self, *findings: Finding, says: str | Exception | None = None) -> int:
        self.says = printed(*findings) if says is None else says
        ages = {"node1": [Age("tank/a", "x", 60, "fresh")]}
        return drift.Check(
            PLAN, self.folder, self.look, self.mark, lambda: ages, self.folder / "announce", self.tell
        ).run()

    def status(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "check.json").read_text())
        return found

    def everything(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


def printed(*findings: Finding, nodes: tuple[str, ...] = ("node1",)) -> str:
    found = [asdict(each) for each in findings]
    document = {"format": 1, "tool": "1", "commit": "c0ffee", "nodes": dict.fromkeys(nodes, 1), "findings": found}
    return json.dumps(document | {"waivers": [], "notes": [], "diffs": []}) + "\n"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_clean_drift_unknown_each_has_its_code_and_is_a_completed_check(vault: Vault) -> None:
    assert [vault.check(), vault.check(QUOTA), vault.check(QUOTA, NOT_READ)] == [0, 2, 3]
    assert vault.marks == 3 and vault.status()["why"] == ""
    assert (vault.folder / "last.json").read_text() == printed(QUOTA, NOT_READ)
    valid("drift", (vault.folder / "last.json").read_text())
    valid("drift-check", (vault.folder / "check.json").read_text())
    assert 'class="drift"} 1\n' in (vault.folder / "blackstart.prom").read_text()


def test_everybody_is_told_once_and_the_log_has_it(vault: Vault) -> None:
    for found in ((QUOTA,), (QUOTA,), (QUOTA,), ()):
        vault.check(*found)
    new, over = "blackstart vault1: 1 new", "blackstart vault1: 1 over"
    assert vault.told == [(CHAT, new), (MAIL, new), (CHAT, over), (MAIL, over)]
    assert all(valid("drift-events", line) for line in (vault.folder / "events.jsonl").read_text().splitlines())
    events = [json.loads(line) for line in (vault.folder / "events.jsonl").read_text().splitlines()]
    assert [(each["event"], each["finding"]["name"]) for each in events] == [
        ("found", QUOTA.name),
        ("over", QUOTA.name),
    ]


def test_who_could_not_be_told_is_told_later_and_nobody_else_twice(vault: Vault) -> None:
    vault.down = {MAIL}
    assert [vault.check(QUOTA), vault.check(QUOTA), vault.check(QUOTA)] == [2, 1, 1]
    assert vault.told == [(CHAT, "blackstart vault1: 1 new")] and vault.marks == 3
    vault.down = set()
    assert vault.check() == 0
    assert vault.told[1:] == [(CHAT, "blackstart vault1: 1 over"), (MAIL, "blackstart vault1: 1 new, 1 over")]


def test_a_look_that_fails_changes_no_alarm_and_is_no_completed_check(vault: Vault) -> None:
    vault.check(QUOTA)
    before = vault.everything()
    assert vault.check(says=drift.Incomplete("no result within 3240 s")) == 1
    after = vault.everything()
    assert {name for name in after if after[name] != before[name]} == {"check.json", "blackstart.prom"}
    assert vault.status()["why"] == "no result within 3240 s" and vault.marks == 1
    assert vault.status()["completed"] == json.loads(before["check.json"])["completed"]
    text = (vault.folder / "blackstart.prom").read_text()
    assert 'drift_check_completed{vault="vault1"} 0\n' in text and 'class="drift"} 1\n' in text


def test_output_that_was_cut_anywhere_is_no_result(vault: Vault) -> None:
    vault.check(QUOTA)
    whole, state = printed(QUOTA), (vault.folder / "state.json").read_bytes()
    for length in range(0, len(whole) - 2, 16):
        assert vault.check(says=whole[:length]) == 1
    assert "its result is damaged" in str(vault.status()["why"])
    assert (vault.folder / "state.json").read_bytes() == state and vault.marks == 1


@pytest.mark.parametrize("junk", ["\x00" * 65536, "x" * 65536, "[" * 65536, '{"format": 2}', "null", "\udcff"])
def test_junk_is_no_result(vault: Vault, junk: str) -> None:
    assert vault.check(says=junk) == 1 and vault.marks == 0


def test_a_node_that_was_left_out_is_no_result(vault: Vault) -> None:
    assert vault.check(says=printed(nodes=())) == 1
    assert vault.status()["why"] == "it did not look at node1"


def test_a_full_disk_leaves_every_file_whole_tells_nobody_and_is_no_completed_check(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.check(QUOTA)
    before = vault.everything()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            vault.check(QUOTA)
    assert vault.everything() == before and (vault.told, vault.marks) == ([], 1)
    # Space again: the look after it goes on from what was known.
    assert vault.check(QUOTA) == 2 and len(vault.told) == 2 and vault.marks == 2


def test_a_disk_that_fills_up_after_the_findings_were_kept_loses_no_announcement(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.check(QUOTA)
    replace = files.replace

    def full(path: Path, content: str, mode: int = 0o664) -> None:
        if path.name == "last.json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        replace(path, content, mode)

    with monkeypatch.context() as patched:
        patched.setattr(files, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            vault.check(QUOTA)
    assert vault.told == [] and vault.marks == 1
    vault.check(QUOTA)
    assert vault.told == [(CHAT, "blackstart vault1: 1 new"), (MAIL, "blackstart vault1: 1 new")]


def test_memory_that_is_junk_begins_anew_and_says_so(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.check(QUOTA)
    (vault.folder / "state.json").write_text("\x00" * 65536)
    assert vault.check(QUOTA) == 2 and vault.told == []
    assert "beginning anew" in capsys.readouterr().err
    vault.check(QUOTA)
    assert len(vault.told) == 2


def test_no_url_gets_into_a_file(vault: Vault) -> None:
    vault.down = {CHAT, MAIL}
    vault.check(QUOTA)
    vault.check(QUOTA)
    written = vault.everything()
    assert name(MAIL).encode() in written["state.json"]
    assert not any(b"s3cret" in content for path, content in written.items() if path != "announce")


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vault's folders with the plan of its checks; where the live ones lie."""
    (tmp_path / "vault1/drift").mkdir(parents=True)
    (tmp_path / "drift.json").write_text(json.dumps(asdict(PLAN)))
    monkeypatch.setattr(layout, "CHECK", str(tmp_path / "drift.json"))
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    return tmp_path


def test_two_checks_at_once_are_one(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = planned / "vault1/drift/lock"
    with alone(lock):
        with pytest.raises(Busy), alone(lock):
            raise AssertionError
        assert drift.main() == 1
    assert "a check is running already" in capsys.readouterr().err
    assert [path.name for path in lock.parent.iterdir()] == ["lock"]


def test_a_full_disk_is_one_sentence(
    planned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drift, "look", lambda plan: printed())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "state.json")

    monkeypatch.setattr(files, "replace", full)
    assert drift.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("the check was not completed: ") and "No space left on device" in said and "; next: " in said


@pytest.mark.parametrize(
    ("program", "why", "interval"),
    [
        ("import sys; print('half'); sys.exit('Error: the fleet has mistakes')", "Error: the fleet has mistakes", 900),
        ("import os; os.kill(os.getpid(), 9)", "blackstart drift ended with -9", 900),
        ("import time; time.sleep(60)", "no result within 1 s", 1),
    ],
)
def test_a_look_that_dies_hangs_or_refuses(
    monkeypatch: pytest.MonkeyPatch, program: str, why: str, interval: int
) -> None:
    run = subprocess.run

    def other(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        assert command[:6] == [sys.executable, "-P", "-m", "blackstart", "drift", "--json"] and command[6:] == ["node1"]
        return run([sys.executable, "-c", program], **more)

    monkeypatch.setattr(subprocess, "run", other)
    with pytest.raises(drift.Incomplete, match=why):
        drift.look(Schedule("vault1", ("node1",), interval, 2, ""))
