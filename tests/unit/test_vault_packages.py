"""A vault that could not fetch the Debian packages for newborns is said, with where to look."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from spec_fleet import write

from blackstart.cli import main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault.packages import SHOW, trouble, worked

# As systemd 257 prints it: in an order of its own.
FAILED = "NRestarts=3\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\n"


@pytest.mark.parametrize(
    ("load", "active", "sub", "restarts", "fetched"),
    [
        ("loaded", "inactive", "dead", 0, Present(True)),
        ("loaded", "activating", "start", 0, Present(True)),  # the first time, while vault.py ends
        ("loaded", "activating", "start", 3, Present(False)),
        ("loaded", "activating", "auto-restart", 3, Present(False)),
        ("loaded", "failed", "failed", 0, Present(False)),
        ("not-found", "inactive", "dead", 0, ABSENT),
    ],
)
def test_what_systemd_says_of_the_unit(load: str, active: str, sub: str, restarts: int, fetched: object) -> None:
    said = f"NRestarts={restarts}\nLoadState={load}\nActiveState={active}\nSubState={sub}\n"
    assert worked(said) == fetched


def test_no_answer_is_not_a_good_one() -> None:
    assert worked("") == Unknown("systemd gave no answer") == worked("LoadState=loaded\n")
    assert "could not be read: systemd gave no answer" in trouble(worked(""))[0]


def test_a_command_to_copy_has_a_line_of_its_own() -> None:
    sentence, look = trouble(Present(False))
    assert "could not be fetched" in sentence
    assert look == "look there: journalctl -n 20 -u blackstart-packages.service" and len(look) <= 66
    assert trouble(Present(True)) == trouble(ABSENT) == ()


@pytest.mark.parametrize("node", ["node1", "vault1"])
def test_why_says_it_of_the_nodes_vaults_and_of_a_vault_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Hosts, "run", lambda self, name, script: (f"\0{FAILED}" if script.endswith(SHOW) else "", ""))
    lines = CliRunner().invoke(main, ["why", node]).output.splitlines()
    at = next(number for number, line in enumerate(lines) if "a newborn node needs could not be" in line)
    assert lines[at].split()[0] == "vault1"
    assert "      vault1  look there: journalctl -n 20 -u blackstart-packages.service" in lines[at:]
    assert max(map(len, lines)) <= 80
