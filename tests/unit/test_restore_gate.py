"""Whom the restore's ssh trusts, and what its own failures mean."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from spec_fleet import KEY

from blackstart.spec.types import HostKey
from blackstart.vault import restore_gate
from blackstart.vault.restore_gate import Gate, LinkError
from blackstart.vault.restore_pipe import Ended
from blackstart.vault.restore_plan import Target
from blackstart.vault.zfs import CommandError

STRANGER = "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.\n"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate("node1", Target("192.0.2.1", 2201, KEY), tmp_path)


def answers(monkeypatch: pytest.MonkeyPatch, stderr: str) -> None:
    def run(words: Any, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 255, "", stderr)

    monkeypatch.setattr(restore_gate.subprocess, "run", run)
    monkeypatch.setattr(restore_gate, "pour", lambda *more: Ended(1, (), 255, stderr))


def test_another_host_key_is_said_at_once_and_not_waited_for(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, STRANGER)
    for ask in (lambda: gate.ask("state"), lambda: gate.receive(["zfs", "send"], "tank/.restore/a", print)):
        with pytest.raises(CommandError, match=r"nodes/node1\.toml, and run the same command again") as raised:
            ask()
        assert not isinstance(raised.value, LinkError)


@pytest.mark.parametrize("said", ["ssh: connect to host 192.0.2.1 port 2201: Connection timed out\n", ""])
def test_a_link_that_breaks_is_worth_another_try(gate: Gate, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    answers(monkeypatch, said)
    for ask in (lambda: gate.ask("state"), lambda: gate.receive(["zfs", "send"], "tank/.restore/a", print)):
        with pytest.raises(LinkError):
            ask()


def test_the_one_pinned_key_counts_and_nothing_else_that_the_machine_knows(gate: Gate, tmp_path: Path) -> None:
    """As OpenSSH itself reads the words: no authority, so that no certificate, expired or not, makes a difference."""
    assert (tmp_path / "known_hosts").read_text() == f"node1 {KEY}\n"
    words = [word for word in gate.over_stream("receive", "a") if word != "-T"]
    said = subprocess.run([words[0], "-G", *words[1:]], capture_output=True, text=True, check=True).stdout
    options = dict(line.partition(" ")[::2] for line in said.splitlines())
    assert options["userknownhostsfile"] == str(tmp_path / "known_hosts")
    assert options["globalknownhostsfile"] == "none" and options["hostkeyalias"] == "node1"
    assert options["stricthostkeychecking"] in ("true", "yes") and options["updatehostkeys"] in ("false", "no")
    assert options.get("knownhostscommand", "none") == "none" and options["verifyhostkeydns"] in ("false", "no")


@pytest.mark.parametrize(
    "line",
    [
        f"@revoked * {KEY}",
        f"@cert-authority * {KEY}",
        KEY.replace("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"),
        f"{KEY}\nnode1 {KEY}",
        f"node1 {KEY}",
    ],
)
def test_a_spec_pins_a_plain_key(line: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HostKey).validate_python(line)
    assert TypeAdapter(HostKey).validate_python(f"{KEY} root@node1") == KEY
