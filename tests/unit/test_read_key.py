"""A vault's own look: by the read key, one exec a host, and nothing else on a host."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from spec_fleet import write

from blackstart.cli import look
from blackstart.cli.fleet_hosts import load
from blackstart.converge.checker import ssh_config
from blackstart.live.model import Query
from blackstart.live.request import request
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve_all


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str | None]]:
    folder = write(tmp_path)
    fleet = load_fleet(folder)
    config = tmp_path / "read_ssh_config"
    config.write_text(ssh_config(resolve_all(fleet)))
    monkeypatch.setenv("BLACKSTART_FLEET", str(folder))
    monkeypatch.setenv("BLACKSTART_SSH_CONFIG", str(config))
    monkeypatch.setenv("BLACKSTART_READ_KEY", "yes")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    seen: list[tuple[list[str], str | None]] = []

    def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        given = more.get("input")
        seen.append((command, str(given) if given is not None else None))
        return subprocess.CompletedProcess(command, 126, "", "read-gate: refused: read\n")

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_names_go_to_the_hosts_own_script(asked: list[tuple[list[str], str | None]]) -> None:
    known, query = load(), Query(files=("/etc/a",))
    assert look.question(known, "vault1", query, "backup") == ("", "read-gate: refused: read")
    command, given = asked[-1]
    assert command[-2:] == [known.data["vault1"]["ssh_hostname"], "read"] and given == request(query, True)
    assert "sudo" not in command and "-l" not in command and "StrictHostKeyChecking=yes" in command
    assert command[command.index("-F") + 1].endswith("read_ssh_config")


def test_nothing_else_is_tried_on_a_host(asked: list[tuple[list[str], str | None]]) -> None:
    before = len(asked)
    said, failed = load().run("node1", "reboot")
    assert said == "" and "runs nothing on a host but the script that reads it" in failed
    assert len(asked) == before


def test_user_and_key_come_from_the_configuration(asked: list[tuple[list[str], str | None]], tmp_path: Path) -> None:
    text = (tmp_path / "read_ssh_config").read_text()
    assert text.endswith("Host *\n  User bs-read\n  IdentityFile /etc/blackstart/keys/read\n  IdentitiesOnly yes\n")
    # The pins are by address: an alias would look for another name in them.
    assert "HostKeyAlias" not in text and all("ssh_user" not in each for each in load().data.values())
