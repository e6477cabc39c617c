"""What changes a node is begun only after its name was typed, and not at all where only a plan was asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from spec_fleet import write

from blackstart.cli import main

Ran = list[list[str]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The commands that were run, all of them well."""
    commands: Ran = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    write(tmp_path)
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("blackstart.cli.retire._look", lambda *_: "node1/web: ...")
    return commands


def changing(commands: Ran) -> Ran:
    return [command for command in commands if "plan=only" not in command]


def ask(words: str, answer: str) -> Result:
    return CliRunner().invoke(main, words.split(), input=answer)


@pytest.mark.parametrize(
    ("words", "name", "plans"),
    [("rebuild node1", "node1", 1), ("restore node1/tank/data/crm", "node1", 1), ("retire node1/web", "web", 0)],
)
def test_only_the_name_begins_it(ran: Ran, words: str, name: str, plans: int) -> None:
    for wrong in ("\n", "y\n", "yes\n", f"{name}x\n"):
        done = ask(words, wrong)
        assert done.exit_code == 1 and done.stdout.endswith("Nothing was done.\n")
    assert changing(ran) == [] and len(ran) == 4 * plans
    assert ask(words, f" {name}\n").exit_code == 0
    assert len(changing(ran)) == 1 and changing(ran)[0][-1] == "-y"


@pytest.mark.parametrize("words", ["rebuild node1", "restore node1/tank/data/crm", "retire node1/web"])
def test_a_plan_changes_nothing_and_yes_asks_nothing(ran: Ran, words: str) -> None:
    assert ask(f"{words} --plan", "").exit_code == 0 and changing(ran) == []
    ran.clear()
    assert ask(f"{words} -y", "").exit_code == 0 and len(ran) == len(changing(ran)) == 1


@pytest.mark.parametrize(
    ("words", "limits", "more"),
    [
        ("apply", [], []),
        ("apply node1 vault1 --dry", ["node1", "vault1"], ["--dry"]),
        ("enroll node1 -y", ["node1"], ["--data", "enroll=yes", "-y"]),
        ("rebuild node1 -y --at 2026-11-22 --disks a=b", ["node1"], ["--data", "disks=a=b", "--data", "at=2026-11-22"]),
    ],
)
def test_what_was_said_reaches_pyinfra(ran: Ran, words: str, limits: list[str], more: list[str]) -> None:
    assert ask(words, "").exit_code == 0
    (command,) = ran
    assert [command[at + 1] for at, word in enumerate(command) if word == "--limit"] == limits
    assert " ".join(more) in " ".join(command) and ("-y" in command) is ("-y" in words)


@pytest.mark.parametrize(
    ("words", "said"),
    [("replicate node1 --vault vault9", "vault vault9 does not hold it"), ("replicate vault1", "no vault holds it")],
)
def test_a_vault_that_holds_nothing_is_not_asked(ran: Ran, tmp_path: Path, words: str, said: str) -> None:
    text = (tmp_path / "nodes/vault1.toml").read_text()
    (tmp_path / "nodes/vault1.toml").write_text(f"{text}[replication]\ntargets = []\n")
    done = ask(words, "")
    assert done.exit_code == 1 and said in done.stderr and ran == []
