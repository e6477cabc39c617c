"""`blackstart drill`: what runs on a vault, what is shown, how it ends; and what timeline and status tell of it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import valid
from isolated_world import NOW, result
from rich.console import Console
from spec_fleet import run
from status_world import status, told
from test_isolated_parts import full

from blackstart.blackbox.entry import drilled
from blackstart.blackbox.timeline import timeline
from blackstart.cli import drill
from blackstart.isolated import __main__ as program
from blackstart.isolated import kept
from blackstart.isolated.result import Result, document
from blackstart.reading import Present
from blackstart.status.model import Status
from blackstart.status.model import document as status_document
from blackstart.status.model import load as load_status
from blackstart.status.table import shown
from blackstart.status.told import played
from blackstart.status.words import facts, troubles

ASKING = 'format = 1\nname = "test"\n[replication]\ntargets = ["vault1"]\ndrill = "30d"\n'


@pytest.fixture
def asked(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = (fleet / "fleet.toml").read_text()
    (fleet / "fleet.toml").write_text(text.replace("[replication]\n", '[replication]\ndrill = "30d"\n'))
    return fleet


def answer(monkeypatch: pytest.MonkeyPatch, text: str, code: int) -> None:
    echo = [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"]
    monkeypatch.setattr(drill, "ssh", lambda data, script: echo)


@pytest.mark.parametrize(("state", "code"), [("good", 0), ("bad", 2), ("unknown", 3)])
def test_a_drill_is_shown_and_ends_by_its_verdict(
    asked: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: Any, code: int
) -> None:
    answer(monkeypatch, json.dumps(document(full(state))), code)
    done = run("drill", "node1", "--report", str(tmp_path / "page.html"))
    assert done.exit_code == code, done.output
    assert f"node1 on vault1: {full(state).verdict}" in done.stdout and "RPO: 10 min" in done.stdout
    assert "<svg" in (tmp_path / "page.html").read_text()
    shown = run("drill", "node1", "--json")
    assert valid("restore-drill", shown.stdout)["verdict"] == full(state).verdict


@pytest.mark.parametrize(
    ("text", "code", "ends", "said"),
    [
        ("", 255, 3, "could not be reached by SSH\n  next: blackstart why vault1\n"),
        ("", 1, 1, ""),
        ("{}", 0, 3, "the drill's result could not be read"),
        ('{"who": "ann@desk", "since": 5, "what": "drill of node1"}', 75, 1, "ann@desk (drill of node1), since 1970"),
    ],
)
def test_one_that_was_not_played(
    asked: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: int, ends: int, said: str
) -> None:
    answer(monkeypatch, text, code)
    done = run("drill", "node1")
    assert done.exit_code == ends and said in done.output


def test_who_does_not_ask_for_drills_is_told_how_to(fleet: Path) -> None:
    done = run("drill", "node1")
    assert done.exit_code == 1 and 'write drill = "30d" into [replication]' in done.output


def test_a_vault_that_does_not_hold_it(asked: Path) -> None:
    assert "vault nowhere does not hold it" in run("drill", "node1", "--vault", "nowhere").output


def test_a_node_that_no_vault_holds_is_not_told_to_ask_for_drills(fleet: Path) -> None:
    done = run("drill", "vault1")
    assert done.exit_code == 1 and "vault1: no vault holds it (replication.targets)" in done.output


def test_the_script_is_shell_whatever_the_words_are() -> None:
    text = drill.script("node1", "ann o'neil", "x; reboot")
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    (line,) = [line for line in text.splitlines() if "asked.json.new" in line and line.startswith("echo")]
    said = subprocess.run(["sh", "-c", line.partition(" >")[0]], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == {"by": "ann o'neil", "named": "x; reboot"}


def test_keys_go_by_standard_input_alone(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = '[mounts."/var/lib/secret"]\ndataset = "tank/data/secret"\nencryption = { key = "file:keys/secret.key" }\n'
    path = asked / "containers" / "crm.toml"
    path.write_text(path.read_text() + table)
    (asked / "keys").mkdir(exist_ok=True)
    (asked / "keys" / "secret.key").write_text("5e" * 32 + "\n")
    scripts: list[str] = []
    answered = json.dumps(document(full()))
    echo = "import sys; sys.stderr.write(sys.stdin.read())" + f"; print({answered!r})"

    def ssh(data: object, script: str) -> list[str]:
        scripts.append(script)
        return [sys.executable, "-c", echo]

    monkeypatch.setattr(drill, "ssh", ssh)
    assert run("drill", "node1", "--keys").exit_code == 0
    assert run("drill", "node1").exit_code == 0
    lends, none = scripts
    assert "blackstart-drill-keys" in lends and "blackstart-drill-keys" not in none
    assert "5e5e" not in lends and "NWU1ZTVl" not in lends
    (asked / "keys" / "secret.key").unlink()
    done = run("drill", "node1", "--keys")
    assert "tank/data/secret: its key is not at hand here" in done.output and "blackstart-drill-keys" not in scripts[-1]


def test_what_was_asked_is_taken_once(tmp_path: Path) -> None:
    assert kept.asked(tmp_path) is None
    (tmp_path / kept.ASKED).write_text('{"by": "ann", "named": ""}')
    assert kept.asked(tmp_path) == {"by": "ann", "named": ""}
    assert kept.asked(tmp_path) is None
    (tmp_path / kept.ASKED).write_text("torn")
    assert kept.asked(tmp_path) == {"by": "somebody", "named": ""}


def test_two_at_once_are_told_of_each_other(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        program.alone(lock, "ann", "drill of node1", patient=False),
        pytest.raises(program.Busy, match=r"ann .drill of node1., since"),
        program.alone(lock, "ben", "drill of node2", patient=False),
    ):
        raise AssertionError
    with program.alone(lock, "ben", "drill of node2", patient=False):
        assert "ben" in lock.read_text()


def history(folder: Path, made: Result) -> None:
    (folder / "node1" / "drill").mkdir(parents=True, exist_ok=True)
    kept.keep(folder / "node1" / "drill", made, "")


def test_the_timeline_tells_of_it(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    history(tmp_path, full())
    (tmp_path / "node1" / "record.json").write_text("{}")
    history(tmp_path, full("bad"))
    good, bad = timeline(tmp_path, "node1", 0, 9).entries
    assert (good.at, good.kind, good.text) == (NOW, "drill", "a drill passed, 4 s, 600 s of data would be lost")
    assert bad.text.startswith("a drill FAILED, 4 s") and "container crm: <script>" in bad.text
    assert drilled("node1", {"at": 5}) is None


def test_status_tells_of_it() -> None:
    made = json.dumps(document(full("bad")))
    now = status(told(drill=Present(played(made))))
    assert load_status(json.dumps(status_document(now))) == now
    valid("status", json.dumps(status_document(now)))
    assert now.exit_code == 2
    assert any(said.startswith("its last drill failed: tank/data/crm") for said in troubles(now.nodes[0]))
    assert "failed" in dict(facts(now.nodes[0], NOW + 60))["Last drill"]
    well = status(told(drill=Present(played(json.dumps(document(full()))))))
    assert well.exit_code == 0 and troubles(well.nodes[0]) == []


@pytest.mark.parametrize("state", ["good", "bad"])
def test_the_table_has_a_column_where_drills_are_played(state: Any) -> None:
    made = status(told(drill=Present(played(json.dumps(document(full(state)))))), told("node2"))
    text = table(made)
    assert "last drill" in text and max(map(len, text.splitlines())) <= 80
    assert ("passed," if state == "good" else "failed,") in text and "none" in text
    assert "last drill" not in table(status(told()))


def table(made: Status) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(shown(made))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_result_of_nothing_is_no_drill() -> None:
    for text in ("[]", "{}", '{"at": "x"}'):
        with pytest.raises(ValueError, match="not a drill"):
            played(text)
    assert result().verdict == "incomplete"
