"""The command line before hosts that are not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from spec_fleet import write

from blackstart.cli import main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.replicate import ssh


def test_a_silent_host_is_given_up() -> None:
    """OpenSSH's own reading of the options: by itself it waits for a silent host for ever."""
    command = ssh({"ssh_hostname": "192.0.2.1", "ssh_known_hosts_file": "/dev/null"}, "true")
    read = subprocess.run(["ssh", "-G", *command[1:]], capture_output=True, text=True, check=True).stdout
    said = dict(line.partition(" ")[::2] for line in read.splitlines())
    assert said["connecttimeout"] == "30"
    assert int(said["serveraliveinterval"]) * int(said["serveralivecountmax"]) == 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("why", "Missing argument 'NODE'"),
        ("whi node1", "No such command 'whi'"),
        ("replicate node1 --staus", "No such option"),
        ("replicate node1 --json", "--json goes with --status only"),
        ("rebuild node1 --ssh-config /nope", "No such file or directory"),
        ("restore nod1/tank", "there is no node nod1; there are: node1, vault1"),
        ("restore node1/tank", "'node1/tank' is not NODE/DATASET"),
        ("restore node1", "'node1' is not NODE/DATASET"),
    ],
)
def test_a_wrong_word_is_an_error_and_not_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1 and said in result.output and isinstance(result.exception, SystemExit)


def test_why_does_not_send_its_reader_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", "timed out"))
    result = CliRunner().invoke(main, ["why", "node1"])
    assert result.exit_code == 3
    assert "next: mend what could not be read, then again: blackstart why node1" in result.output
