"""The command line before hosts that are not there."""

from __future__ import annotations

import subprocess
import threading
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


def never(*_: object, **__: object) -> None:
    raise AssertionError("somebody was contacted")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("why", "Missing argument 'NODE'"),
        ("whi node1", "No such command 'whi'"),
        ("replicate node1 --staus", "No such option"),
        ("replicate node1 --json", "--json goes with --status only"),
        (
            "rebuild node1 --ssh-config /nope",
            "the ssh_config /nope cannot be read (No such file or directory): correct",
        ),
        ("retire crm", "it is a container, did you mean node1/crm. Next: blackstart retire node1/crm"),
        ("restore nod1/tank", "there is no node nod1; did you mean 'node1'?"),
        ("restore node1/tank", "'node1/tank' is not NODE/DATASET"),
        ("restore node1", "'node1' is not NODE/DATASET"),
        ("apply nod1", "nod1 matches no host of the fleet; did you mean 'node1'?"),
        ("apply node1 nothing", "nothing matches no host of the fleet; hosts are: node1, nodes, vault1, vaults"),
        ("enroll nod1", "there is no node nod1; did you mean 'node1'?"),
        ("replicate nod1", "there is no node nod1; did you mean 'node1'?"),
        ("attach x", "there is no node x; nodes are: node1, vault1"),
        ("rebuild node1 --disks foo", "Invalid value for '--disks': 'foo' is not OLD=NEW"),
        ("rebuild node1 --vault vault2", "node1: vault2 is no vault that keeps it; those are vault1"),
        ("enroll node1 --disks a=b,=c", "Invalid value for '--disks': '=c' is not OLD=NEW"),
        ("apply --disks ,", "Invalid value for '--disks': it is empty"),
    ],
)
def test_a_wrong_word_is_an_error_and_not_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(subprocess, "run", never)
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1 and said in result.output and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Host node1\n  User=\n", "ConfigParseError: Unparsable line User="),
        ('Match user "me\n', "ValueError: No closing quotation"),
        ("Host *\n  Port many\n", "ValueError: invalid literal for int() with base 10: 'many'"),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_an_ssh_config_that_is_not_understood_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str, own: bool
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".ssh/config"
    file.parent.mkdir()
    file.write_text(text)
    result = CliRunner().invoke(main, ["why", "node1", *([] if own else ["--ssh-config", str(file)])])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: the ssh_config {file} is not understood, correct it ({why})\n"


def test_why_does_not_send_its_reader_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", "timed out"))
    result = CliRunner().invoke(main, ["why", "node1"])
    assert result.exit_code == 3
    assert "next: mend what could not be read, then again: blackstart why node1" in result.output


@pytest.mark.parametrize(
    "words", ["apply", "enroll a", "rebuild a", "restore a/b/c", "attach a", "why a", "replicate a", "spec show a"]
)
def test_a_fleet_without_nodes_is_an_error_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    (tmp_path / "fleet.toml").write_text('format = 1\nname = "empty"\n')
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(subprocess, "run", never)
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1
    assert result.stderr == "Error: the fleet has no nodes; describe one in nodes/NAME.toml\n"


def test_why_asks_everybody_at_once_and_answers_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits until all three are asked: node, vault, the vault's lock. One after the other would never end."""
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    together = threading.Barrier(3)

    def run(known: Hosts, name: str, script: str) -> tuple[str, str]:
        together.wait(10)
        return "", f"{name} is silent, and says so in a sentence that does not end before the line does, and goes on"

    monkeypatch.setattr(Hosts, "run", run)
    lines = CliRunner().invoke(main, ["why", "node1"]).output.splitlines()
    assert max(map(len, lines)) <= 80
    starts = [line.split()[0] for line in lines if line[:14].strip()]
    assert starts.index("ssh") < starts.index("heartbeat") < starts.index("vault1") < starts.index("node1:")


def test_replicate_goes_the_way_that_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    config = tmp_path / "ssh_config"
    config.write_text("Host vault1\n  HostName 127.0.0.1\n  Port 2222\n")
    assert CliRunner().invoke(main, ["replicate", "node1", "--ssh-config", str(config)]).exit_code == 0
    assert asked[0][:4] == ["ssh", "-T", "-F", str(config)]


@pytest.mark.parametrize("more", [[], ["--abandon"]])
def test_a_rebuild_from_one_vault_is_bootstraps_own_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ran: list[list[str]] = []
    monkeypatch.setattr("blackstart.cli.rebuild.run", lambda command: ran.append(command) or 0)
    words = ["rebuild", "node1", "--vault", "vault1", "--yes", *more]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert ran[0][-1] == "-y" and "vault=vault1" in ran[0] and ("abandon=yes" in ran[0]) is bool(more)


def test_a_host_key_that_does_not_fit_says_where_the_right_one_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess([], 255, "", "@@@ WARNING @@@\nHost key verification failed.\r\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    known = Hosts(None, Path(), {"node1": {"ssh_hostname": "192.0.2.1", "ssh_known_hosts_file": "/dev/null"}})
    said, failed = known.run("node1", "true")
    assert not said
    assert failed.startswith("Host key verification failed: ")
    assert "write it as host_key into nodes/node1.toml" in failed
