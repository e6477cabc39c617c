"""Commands on a vault whose connection breaks, and beside locks that hang on the same connection."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko.ssh_exception import SSHException
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parent))
from test_bootstrap_unit import document

from blackstart.vault.lock import proven
from operations import follow, held, record, vault_shell
from operations.host_shell import ShellError
from operations.vault_shell import on_vault

OUTPUT = SimpleNamespace(stdout="", stderr="")


def holding() -> held.Holding:
    lock: Any = SimpleNamespace(lost="")
    return held.Holding(lock, "LINE")


class Vault:
    """Connected; `answers` are given in order, an exception is raised. Once broken, only a new connection helps."""

    name = "vault1"
    data: dict[str, Any] = {}

    def __init__(self) -> None:
        self.connected, self.is_active, self.connections, self.answers = True, True, 1, list[Any]()
        transport = SimpleNamespace(is_active=lambda: self.is_active)
        self.connector = SimpleNamespace(client=SimpleNamespace(get_transport=lambda: transport))

    def connect(self, raise_exceptions: bool) -> None:
        self.connected, self.is_active, self.connections = True, True, self.connections + 1

    def disconnect(self) -> None:
        self.connected = False

    def run_shell_command(self, command: Any, **more: Any) -> tuple[bool, Any]:
        if not self.is_active:
            raise SSHException("SSH session not active")
        answer = self.answers.pop(0)
        if answer is None:  # cut off
            self.is_active = False
        return isinstance(answer, str), SimpleNamespace(stdout=answer or "", stderr="cannot open file")


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    made = Vault()
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: None)
    state: Any = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=lambda name: made))
    monkeypatch.setattr(vault_shell.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(record, "_met", set())
    monkeypatch.setattr(record, "_away", {})
    with ctx_state.use(state), ctx_host.use(node):
        yield made


def test_following_a_restore_outlives_the_connection(vault: Vault) -> None:
    vault.answers = ["active\n", None, "inactive\n" + json.dumps(document(state="done"))]
    job: Any = SimpleNamespace(spec=SimpleNamespace(name="node1"), vault="vault1")
    assert follow.follow(job) is True
    assert vault.connections == 2


def test_a_connection_that_is_there_stays_when_a_command_fails(vault: Vault) -> None:
    """The locks of every node of this run hang on it."""
    vault.answers = [False, "well"]
    assert on_vault("vault1", "cat plan", tries=2) == "well"
    assert vault.connections == 1


def test_a_lock_that_is_lost_between_two_tries_ends_them(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.answers = [None, "written"]
    mine = holding()
    monkeypatch.setattr(held, "locks", {("node1", "vault1"): mine})
    monkeypatch.setattr(vault_shell.time, "sleep", lambda seconds: setattr(mine.lock, "lost", "its lock was lost (x)"))
    with pytest.raises(ShellError, match="its lock was lost"):
        on_vault("vault1", "true", tries=2)
    assert vault.answers == ["written"]


def test_what_is_written_for_a_node_is_written_under_its_lock_alone(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "locks", {("node1", "vault1"): holding()})
    sent: list[str] = []
    monkeypatch.setattr(vault, "run_shell_command", lambda command, **more: sent.append(str(command)) or (True, OUTPUT))
    vault_shell.write("vault1", "node1", "command", "{}")
    record._write(SimpleNamespace(), vault, "vault1", "node1", "{}", False)
    assert sent[0] == proven("node1", "LINE", "command")
    assert sent[1] == proven("node1", "LINE", record.store_command("node1"))
    monkeypatch.setattr(held, "locks", {})
    vault_shell.write("vault1", "node1", "command", "{}")  # a vault that is being set up gives no lock
    assert sent[2] == "command"


def test_what_the_vault_writes_beside_is_waited_for_when_it_is_settled(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "locks", {("node1", "vault1"): holding()})
    answers, sent, taken = threading.Event(), list[str](), list[str]()

    def slow(command: Any, **more: Any) -> Any:
        sent.append(str(command))
        assert answers.wait(30)
        return True, SimpleNamespace(stdout="written", stderr="")

    monkeypatch.setattr(vault, "run_shell_command", slow)
    vault_shell.write_beside("vault1", "node1", "command", "{}", taken.append, "it was not begun")
    assert taken == []  # here the node is worked on
    answers.set()
    vault_shell.settled("node1")
    vault_shell.settled("node1")  # nothing is left to be waited for
    assert (sent, taken) == ([proven("node1", "LINE", "command")], ["written"])


def test_what_was_not_written_beside_says_what_that_means(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(vault_shell, "rewritten", forgotten.append)
    vault.answers = [False, False, False]
    vault_shell.write_beside("vault1", "node1", "command", "{}", print, "it was not begun")
    with pytest.raises(ShellError, match="it was not begun: vault1: cannot open file"):
        vault_shell.settled("node1")
    assert forgotten == ["vault1"]  # nobody knows what it says now


def test_a_connection_that_breaks_while_a_record_is_written_is_said_and_stops_nobody_else(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said.append(line))

    def broken(command: Any, **more: Any) -> Any:
        raise SSHException("SSH session not active")

    monkeypatch.setattr(vault, "run_shell_command", broken)
    assert record._write(SimpleNamespace(), node, "vault1", "node1", "{}", False) is False
    assert said == ["node1: vault vault1 did not write its record: SSH session not active"]


def test_a_broken_connection_is_a_sentence(vault: Vault) -> None:
    vault.is_active = False
    with pytest.raises(ShellError, match="vault1: SSH session not active"):
        vault_shell.run(vault, "true")
