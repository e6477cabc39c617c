"""`blackstart token`: made here, told to every vault as a digest, revoked everywhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from spec_fleet import write

from blackstart.cli import main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.vault import tokens


class Vaults:
    """What was sent to each; `silent` ones cannot be reached."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {}
        self.silent: set[str] = set()
        self.listed = ""

    def run(self, hosts: Hosts, name: str, script: str, timeout: float = 120, stdin: str = "") -> tuple[str, str]:
        if name in self.silent:
            return "", "no route to host"
        if not stdin:
            return self.listed, ""
        asked = json.loads(stdin)
        self.told.setdefault(name, []).append(asked)
        known = tokens.load(self.listed) if self.listed else ()
        self.listed = tokens.dump(tokens.changed(known, asked, 1))
        return "told\n", ""


@pytest.fixture
def vaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vaults:
    made = Vaults()
    other = (write(tmp_path / "fleet") / "nodes/vault1.toml").read_text().replace("192.0.2.2", "192.0.2.3")
    (tmp_path / "fleet/nodes/vault2.toml").write_text(other)
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path / "fleet"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Hosts, "run", lambda *words, **more: made.run(*words, **more))
    return made


def token(*words: str) -> Result:
    return CliRunner().invoke(main, ["token", *words])


def test_one_is_made_here_and_every_vault_gets_its_digest(vaults: Vaults, tmp_path: Path) -> None:
    file = tmp_path / "home/blackstart/token"
    done = token("new", "eve")
    assert (done.exit_code, done.output) == (0, f"eve: operator; it lies in {file}\n")
    word = file.read_text().removeprefix("Authorization: Bearer ").strip()
    assert len(word) == 64 and file.stat().st_mode & 0o777 == 0o600
    digest = hashlib.sha256(word.encode()).hexdigest()
    ((asked,),) = (each["add"] for each in vaults.told["vault1"])
    assert asked == {"id": "eve", "scope": "operator", "node": "", "service": "", "sha256": digest}
    assert vaults.told["vault2"] == vaults.told["vault1"] and word not in json.dumps(vaults.told)


def test_a_vault_that_was_not_told_is_told_by_the_same_command(vaults: Vaults) -> None:
    vaults.silent = {"vault2"}
    failed = token("new", "eve")
    assert failed.exit_code == 1 and "vault2: not told: no route to host" in failed.output
    vaults.silent = set()
    assert token("new", "eve").exit_code == 0
    assert vaults.told["vault1"][0] == vaults.told["vault1"][1] == vaults.told["vault2"][0]


def test_one_secret_is_never_that_of_two_names(vaults: Vaults, tmp_path: Path) -> None:
    token("new", "eve")
    file = tmp_path / "home/blackstart/token"
    before = file.read_text()
    done = token("new", "ci", "--scope", "signal")
    assert (
        done.exit_code == 1 and f"{file} holds the token of eve; next: the same command with --to FILE" in done.output
    )
    assert file.read_text() == before
    assert token("new", "ci", "--scope", "signal", "--to", str(tmp_path / "ci")).exit_code == 0


def test_a_secret_that_may_be_another_s_is_not_replaced_while_nobody_can_say_whose_it_is(
    vaults: Vaults, tmp_path: Path
) -> None:
    token("new", "eve")
    file = tmp_path / "home/blackstart/token"
    before = file.read_text()
    vaults.silent = {"vault1", "vault2"}
    done = token("new", "ci", "--scope", "signal")
    assert done.exit_code == 1 and "could not be asked (vault1: " in done.output and "--to FILE" in done.output
    assert file.read_text() == before


def test_what_was_revoked_never_counts_again(vaults: Vaults, tmp_path: Path) -> None:
    token("new", "eve")
    leaked = (tmp_path / "home/blackstart/token").read_text()
    token("revoke", "eve")
    assert token("new", "eve").exit_code == 0
    assert (tmp_path / "home/blackstart/token").read_text() != leaked


def test_a_service_has_one_of_its_own(vaults: Vaults, tmp_path: Path) -> None:
    assert "--node NODE --service SERVICE" in token("new", "crm", "--scope", "service").output
    assert "there is no node node2" in token("new", "x", "--scope", "signal", "--node", "node2").output
    words = ("--scope", "service", "--node", "node1", "--service", "crm", "--to", str(tmp_path / "crm.token"))
    assert token("new", "crm", *words).exit_code == 0
    assert vaults.told["vault1"][0]["add"][0]["service"] == "crm"


def test_a_file_that_is_something_else_stays(vaults: Vaults, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    done = token("new", "eve", "--to", str(tmp_path / "other"))
    assert done.exit_code == 1 and "holds no token of ours" in done.output
    assert (tmp_path / "other").read_text() == "precious" and not vaults.told


def test_revoked_is_revoked_on_every_vault(vaults: Vaults) -> None:
    assert token("revoke", "eve", "node1").exit_code == 0
    assert vaults.told == {name: [{"revoke": ["eve", "node1"]}] for name in ("vault1", "vault2")}


def test_they_are_listed(vaults: Vaults) -> None:
    vaults.listed = tokens.dump([tokens.Token("node1", "heartbeat", "node1", "", "a" * 64, 1)])
    vaults.silent = {"vault2"}
    done = token("list")
    assert done.exit_code == 3 and "vault1: node1 heartbeat node1\n" in done.output
    assert "vault2: its tokens could not be read: no route to host" in done.output
