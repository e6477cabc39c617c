"""What each command ends with when something is wrong: 1, 2 and 3 are kept apart, whoever says them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rebuild_world import NOW, live, pool, record
from spec_fleet import FILES, KEY, swap, write

from blackstart.cli import main, why
from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.reference import leaves
from blackstart.reading import ABSENT, Present, Reading
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.vault.records import unknown as unread_vault

LEAVES = [words[1:] for words, _ in leaves(main, ("blackstart",))]
OF_THE_FLEET = [
    "why node1",
    "rebuild node1",
    "restore node1/tank/data/crm",
    "attach node1",
    "enroll node1",
    "apply",
    "status",
    "timeline",
    "state node1",
    "drift",
    "drift node1 --json",
    "plan node1",
    "runbook node1",
    "replicate node1",
    "retire node1/crm",
    "signal open --scope fleet --severity may-break --reason why",
    "signal close 0123456789abcdef ok",
    "signal list",
    "token new me",
    "token revoke me",
    "token list",
    "spec check",
    "spec show node1",
    "spec migrate",
    "drill node1",
    "image build debian-13",
    "image import debian-13",
    "image list",
    "project lock web",
    "project add new --command /bin/true",
    "project list",
    "project show web",
]
NEEDS_NO_FLEET = ("json", "serve", "lab", "drill-lab", "bench")


def code(words: str) -> int:
    result = CliRunner().invoke(main, words.split())
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code


def answering(known: dict[str, Reading[Record]]) -> VaultReading:
    """A vault that answers, with these records by node."""
    return replace(unread_vault("not asked"), clock=Present(NOW), records=Present(known))


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_wrong_option_is_1_for_every_command(words: tuple[str, ...]) -> None:
    assert code(" ".join((*words, "--no-such-option"))) == 1


def test_none_is_left_out_below() -> None:
    asked = {tuple(words.split()[: len(leaf)]) for words in OF_THE_FLEET for leaf in LEAVES}
    left = {leaf for leaf in LEAVES if leaf not in asked and leaf[0] not in NEEDS_NO_FLEET}
    assert left == {("spec", "schema"), ("spec", "docs")}


@pytest.mark.parametrize("words", OF_THE_FLEET)
def test_no_fleet_is_1_and_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert str(tmp_path / "nowhere") in result.stderr


@pytest.mark.parametrize("words", ["apply -y", "enroll node1 -y", "rebuild node1 -y", "restore node1/tank/data/crm -y"])
@pytest.mark.parametrize("said", [0, 1, 3])
def test_what_pyinfra_ends_with_is_passed_on(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: int
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, said, "", ""))
    assert code(words) == said


def test_a_refused_plan_is_not_asked_about(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 3, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert code("rebuild node1") == 3
    assert len(asked) == 1 and "plan=only" in asked[0]


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "drift",
        "drift node1",
        "why node1",
        "attach node1",
        "replicate node1",
        "replicate node1 --status",
        "retire node1/web",
        "token list",
    ],
)
def test_a_host_that_does_not_answer_is_3(fleet: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    gone = subprocess.CompletedProcess([], 255, "", "ssh: connect to host 192.0.2.1 port 22: No route to host\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: gone)
    assert code(words) == 3


@pytest.mark.parametrize(
    "words", ["status", "attach node1", "replicate node1", "replicate node1 --status", "token list"]
)
def test_a_vault_that_does_not_answer_comes_with_what_to_type(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    gone = subprocess.CompletedProcess([], 255, "", "ssh: connect to host 192.0.2.1 port 22: No route to host\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: gone)
    said = CliRunner().invoke(main, words.split()).stderr
    assert "  next: blackstart why vault1" in said.splitlines()


@pytest.mark.parametrize(("there", "ends"), [(True, 0), (False, 2)])
def test_why_is_2_where_the_node_needs_something(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, there: bool, ends: int
) -> None:
    node = live(pools=(pool(),)) if there else live()
    known = replace(record(), datasets={})
    monkeypatch.setattr(why, "see_node", lambda *_: (node, "answers"))
    monkeypatch.setattr(why, "see_vault", lambda *_: answering({"node1": Present(known)}))
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", ""))
    assert code("why node1") == ends


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        ({"node1": Present(record())}, "node1: unknown"),
        ({"node1": Present(replace(record(), retired=True))}, "node1: superseded"),
        ({}, "node1: unknown"),
    ],
)
def test_why_is_3_where_the_node_is_not_reached_and_its_vault_answers(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, Reading[Record]], verdict: str
) -> None:
    monkeypatch.setattr(why, "see_vault", lambda *_: answering(known))
    monkeypatch.setattr(Hosts, "run", lambda self, name, *_: ("", "no route to host" if name == "node1" else ""))
    said = CliRunner().invoke(main, ["why", "node1"])
    assert said.exit_code == 3 and verdict in said.stdout and "not reached: no route to host" in said.stdout


@pytest.mark.parametrize("there", [True, False])
def test_why_is_3_where_one_of_two_vaults_gives_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    other = FILES["nodes/vault1.toml"].replace("192.0.2.2", "192.0.2.3").replace("disk-V", "disk-W")
    targets = swap("fleet.toml", '["vault1"]', '["vault1", "vault2"]')
    write(tmp_path, fleet=targets, nodes__vault2=other.replace(other.split('"')[3], KEY))
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    one = answering({"node1": Present(replace(record(), datasets={}))})
    node = live(pools=(pool(),)) if there else live()
    monkeypatch.setattr(why, "see_node", lambda *_: (node, "answers"))
    monkeypatch.setattr(why, "see_vault", lambda _, name, pool: one if name == "vault1" else unread_vault("a timeout"))
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", ""))
    said = CliRunner().invoke(main, ["why", "node1"])
    assert said.exit_code == 3 and ("node1: intact" in said.stdout) == there and "a timeout" in said.stdout


@pytest.mark.parametrize(("said", "ends"), [(0, 0), (1, 1), (2, 2), (255, 3)])
def test_status_passes_on_what_the_vault_says(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, said: int, ends: int
) -> None:
    answer = '{"format": 1, "node": "node1", "rpo": 3600, "datasets": []}'
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], said, answer, ""))
    assert code("replicate node1 --status") == ends


@pytest.mark.parametrize("said", [0, 1, 3])
def test_so_it_is_where_the_plan_was_shown_before(fleet: Path, monkeypatch: pytest.MonkeyPatch, said: int) -> None:
    monkeypatch.setattr("blackstart.cli.retire._look", lambda *_: "node1/web: ...")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, said, "", ""))
    assert code("retire node1/web -y") == said


def test_why_says_that_applied_files_were_in_no_commit() -> None:
    commit = "4044aa67cb32018b46039102c0ffee0000000000"
    assert why.say_commit(commit) == "4044aa67cb32"
    assert why.say_commit(f"{commit}-dirty") == "4044aa67cb32-dirty"
    assert why.say_commit("") == "none"


def test_why_says_what_a_vault_could_not_say() -> None:
    known = replace(unread_vault("input/output error"), records=Present({"node1": Present(record())}))
    said = [what for _, what in why.vault_sees("vault1", "node1", known, "")]
    assert "its replicas could not be read: input/output error" in said
    assert "its stock could not be read: input/output error" in said
    whole = replace(known, replicas=Present({}), stock=Present(()), specs=ABSENT)
    assert not any("could not be read" in what for _, what in why.vault_sees("vault1", "node1", whole, ""))


@pytest.mark.parametrize(
    "words", [["rebuild", "node1", "--at", ""], ["restore", "node1/x", "--at", " "], ["state", "--at", ""]]
)
def test_an_empty_word_is_not_the_newest(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1 and "--at': it is empty; give it a value, or leave it out" in result.output
