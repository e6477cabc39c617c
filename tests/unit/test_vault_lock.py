"""The lock's script as it runs on a vault, and the channel that holds it: two holders, a dead one, a silent one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.converge import vault
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve_all
from blackstart.vault import layout, lock


class Pipe:
    """A process behind the part of a paramiko channel that is used."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes]

    def exec_command(self, command: str) -> None:
        self.process = subprocess.Popen(["/bin/sh", "-c", command], stdin=-1, stdout=-1)

    def sendall(self, data: bytes) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except ValueError as error:  # closed meanwhile, as below
            raise OSError("Socket is closed") from error

    def recv(self, count: int) -> bytes:
        assert self.process.stdout
        try:
            return self.process.stdout.read1(count)
        except ValueError:  # closed meanwhile: a channel says that it has ended
            return b""

    def recv_exit_status(self) -> int:
        return self.process.wait(60)

    def settimeout(self, timeout: float | None) -> None:
        pass

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process.wait(60)


class Mute(Pipe):
    """A vault behind a link that swallows everything once the lock was taken."""

    def sendall(self, data: bytes) -> None:
        pass

    def recv(self, count: int) -> bytes:
        if count == 1:
            raise TimeoutError("timed out")
        return super().recv(count)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(layout, "LIVE", str(tmp_path))
    text = lock.script("node1", lock.holder("me@laptop", "c0ffee", "site.py", 1763775780, "r1"))
    yield text.replace("mountpoint -q", "test -d").replace("-g blackstart ", "")


def test_a_second_holder_is_refused_by_name_until_the_first_is_gone(command: str, tmp_path: Path) -> None:
    first = lock.Held(Pipe(), "node1", "vault1", command)
    with pytest.raises(lock.LockError, match=r"somebody else works on it: me@laptop \(site.py\), since 2025-11-22"):
        lock.Held(Pipe(), "node1", "vault1", command)
    first.release()
    assert (tmp_path / "node1/lock").read_text() == ""
    lock.Held(Pipe(), "node1", "vault1", command).release()


def test_who_has_it_is_told_to_whoever_asks_and_only_while_they_have_it(command: str) -> None:
    def asked() -> str:
        return subprocess.run(["sh", "-c", lock.who_has("node1")], capture_output=True, text=True, check=True).stdout

    assert asked() == ""
    first = lock.Held(Pipe(), "node1", "vault1", command)
    assert lock.works("node1", asked()).startswith("node1: somebody else works on it: me@laptop (site.py), since 2025")
    first.release()
    assert asked() == ""


def signs(root: Path) -> list[str]:
    """As a vault's reading prints them."""
    find = lock.sign(f"{root} -mindepth 2 -maxdepth 2", "lock")
    return subprocess.run(["/bin/sh", "-c", find], capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_lock_that_nobody_had_since_a_reading_bears_the_sign_that_was_read(command: str, tmp_path: Path) -> None:
    first = lock.Held(Pipe(), "node1", "vault1", command)
    assert first.sign == "" or signs(tmp_path) != [f"node1/lock {first.sign}"]
    first.release()
    read = signs(tmp_path)
    second = lock.Held(Pipe(), "node1", "vault1", command)
    assert read == [f"node1/lock {second.sign}"]
    second.release()
    third = lock.Held(Pipe(), "node1", "vault1", command)
    assert third.sign and read != [f"node1/lock {third.sign}"]  # the second had it in between
    third.release()


def test_a_holder_that_was_killed_may_have_worked_on_after_it_was_read(command: str, tmp_path: Path) -> None:
    pipe = Pipe()
    lock.Held(pipe, "node1", "vault1", command)
    pipe.process.kill()
    pipe.close()
    again = lock.Held(Pipe(), "node1", "vault1", command)
    assert again.sign == "" and signs(tmp_path)
    again.release()


def test_the_host_part_has_a_lock_of_its_own(command: str, tmp_path: Path) -> None:
    of_part = command.replace(f"{tmp_path}/node1/lock", f"{tmp_path}/node1/lock.host")
    assert lock.script("node1", "{}", "host").count("/node1/lock.host") == of_part.count("/node1/lock.host") > 0
    both = [lock.Held(Pipe(), "node1", "vault1", each) for each in (command, of_part)]
    for each in both:
        each.release()


def test_a_holder_that_died_lets_go(command: str) -> None:
    pipe = Pipe()
    lock.Held(pipe, "node1", "vault1", command)
    assert pipe.process.stdin
    pipe.process.stdin.close()  # what sshd does when the connection is gone
    pipe.process.wait(60)
    lock.Held(Pipe(), "node1", "vault1", command).release()


def test_each_sign_of_life_is_answered_and_begins_the_patience_anew(command: str, tmp_path: Path) -> None:
    pipe, begun = Pipe(), tmp_path / "begun"
    pipe.exec_command(f'timeout() {{ echo "$1" >>{begun}; shift; "$@"; }}\n{command}')
    assert pipe.recv(100).startswith(b"locked ")
    for _ in range(4):
        pipe.sendall(b".")
        # One byte each: what is left over would look like an answer once the vault is silent.
        assert pipe.recv(100) == b"."
    assert pipe.process.poll() is None
    pipe.close()
    assert begun.read_text().split() == [str(lock.PATIENCE)] * 5


def test_silence_ends_it(command: str) -> None:
    pipe = Pipe()
    pipe.exec_command(command.replace(f"timeout {lock.PATIENCE}", "timeout 0.1"))
    assert pipe.process.wait(60) == 0
    pipe.close()
    lock.Held(Pipe(), "node1", "vault1", command).release()


def test_a_vault_that_lets_go_or_falls_silent_is_noticed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.05)
    pipe = Pipe()
    held = lock.Held(pipe, "node1", "vault1", command)
    time.sleep(0.3)
    assert held.lost == ""
    pipe.process.kill()
    deadline = time.monotonic() + 60
    while not held.lost and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held.lost.startswith("its lock on vault1 was lost (")


def test_no_answer_in_time_is_a_loss_too(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.05)
    held = lock.Held(Mute(), "node1", "vault1", command)
    deadline = time.monotonic() + 60
    while not held.lost and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held.lost == "its lock on vault1 was lost (timed out)"


def test_letting_go_is_no_loss(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.05)
    held = lock.Held(Pipe(), "node1", "vault1", command)
    held.release()
    time.sleep(0.3)
    assert held.lost == ""


def test_an_unmounted_vault_has_no_locks_to_give(command: str, tmp_path: Path) -> None:
    with pytest.raises(lock.LockError, match=r"its lock on vault1 could not be taken: .* is not mounted"):
        lock.Held(Pipe(), "node1", "vault1", command.replace(f"test -d {tmp_path}", "false"))


def test_only_a_vaults_sshd_lets_one_connection_hold_the_locks_of_a_whole_fleet() -> None:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    nodes = resolve_all(fleet)
    assert vault.SESSIONS not in vault.wanted_part(nodes["node1"], nodes).files
    sessions = vault.wanted_part(nodes["vault1"], nodes).files[vault.SESSIONS]
    assert sessions.content == b"MaxSessions 200\n" and (sessions.then or "").startswith("sshd -t && ")
