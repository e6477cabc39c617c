"""The host's own part of a rebuild, laid down while data flows: who is at it, and how the vault learns of its end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.command import FunctionCommand

from blackstart.restore import unit
from blackstart.vault import layout
from blackstart.vault.lock import LockError, Taken
from operations import held, lock, restore
from operations.host_shell import ShellError

JOB: Any = SimpleNamespace(spec=SimpleNamespace(name="node1"), vault="vault1")


def sh(command: str, text: str = "") -> str:
    words = ["sh", "-euc", command.replace("mountpoint -q", "test -d")]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_new_plan_asks_for_a_host_part_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host part of before says nothing: the node's pools may have been lost once more since."""
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    (tmp_path / "node1").mkdir()
    sh(unit.put_plan("node1"), "one")
    assert sh(unit.is_host_ready("node1")) == ""
    sh(unit.say_host_ready("node1"))
    assert sh(unit.is_host_ready("node1")) == "yes"
    sh(unit.put_plan("node1"), "two")
    assert sh(unit.is_host_ready("node1")) == "" and sh(unit.read_plan("node1")) == "two"


def test_the_vault_is_told_behind_a_sync_and_a_vault_that_is_away_fails_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(restore, "write", lambda vault, node, command, **more: told.append(command) or "")
    flush, tell = list(restore.ready._inner(JOB))
    assert flush == "sync -f /etc /var/lib/blackstart" and isinstance(tell, FunctionCommand) and not told
    host: Any = SimpleNamespace(log_styled=lambda line, **how: told.append(line))
    assert tell.function(SimpleNamespace(), host, *tell.args) is True and told == [unit.say_host_ready("node1")]

    def away(*words: Any, **more: Any) -> str:
        raise ShellError("vault vault1 could not be reached")

    monkeypatch.setattr(restore, "write", away)
    assert tell.function(SimpleNamespace(), host, *tell.args) is False
    assert told[-1] == "node1: the vault was not told that the host is ready: vault vault1 could not be reached"


class Fake:
    """A lock that is held; `lost` as in vault/lock.py."""

    lost = ""

    def release(self) -> None:
        self.lost = "released"


class Connector:
    """What is used of pyinfra's."""

    def run_shell_command(self, command: str) -> tuple[bool, Any]:
        return True, None

    def put_file(self, name: str) -> bool:
        return True


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What taking the lock ends with, one by one; the parts that were asked for are put behind them."""
    ends: list[Any] = []

    def take(vault: Any, node: str, line: str, part: str = "") -> Any:
        ends.append(part)
        end = ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(lock, "take", take)
    monkeypatch.setattr(lock, "vault_host", lambda name: SimpleNamespace(name=name))
    monkeypatch.setattr(lock, "current", SimpleNamespace(name="node1", connector=Connector()))
    held.locks.clear()
    yield ends
    held.locks.clear()


def test_the_host_part_is_held_beside_the_nodes_lock_and_its_loss_stops_the_run(takes: list[Any]) -> None:
    mine = Fake()
    takes.append(mine)
    assert lock.host_part("vault1", "node1", "ops", "c1") == "" and takes == ["host"]
    # The vault is told only by the run that has this lock.
    assert "/lock.host " in held.under("node1", "vault1", "true") and "ops" in held.under("node1", "vault1", "true")
    connector: Any = lock.current.connector
    assert connector.run_shell_command("true")[0] is True
    mine.lost = "its lock on vault1 was lost (no answer)"
    status, said = connector.run_shell_command("true")
    assert status is False and "somebody else may work on it now" in str(said)
    lock.release("node1")
    assert mine.lost == "released" and held.lost("node1") == ""


def test_who_is_at_it_is_said_and_what_else_is_wrong_is_an_error(
    takes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    takes.append(Taken("node1: somebody else works on it: kim@desk; wait, or ask them"))
    assert "kim@desk" in lock.host_part("vault1", "node1", "ops", "c1") and not held.locks
    takes[:] = [LockError("node1: its lock on vault1 could not be taken: no answer in time")]
    with pytest.raises(ShellError, match=r"^its lock on vault1 could not be taken: no answer in time$"):
        lock.host_part("vault1", "node1", "ops", "c1")
    monkeypatch.setattr(lock, "vault_host", lambda name: None)
    with pytest.raises(ShellError, match=r"^vault vault1 could not be reached"):
        lock.host_part("vault1", "node1", "ops", "c1")
