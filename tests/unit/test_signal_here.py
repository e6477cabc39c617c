"""What a signal needs of the vault it is given on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

import pytest

from blackstart.converge.render import render
from blackstart.serve.refused import Refused
from blackstart.signal import here
from blackstart.signal.channel import Silent
from blackstart.signal.config import Grant, Signals
from blackstart.signal.here import Here
from blackstart.signal.model import OnNode, Taken
from blackstart.signal.steps import Failed, Unpulled
from blackstart.vault.store import writable
from blackstart.vault.zfs import CommandError

NAME = "blackstart_2026-11-22T01:43:00Z"
ON = OnNode("node", NAME, taken=(Taken("tank/a", NAME, "11"), Taken("tank/b", NAME, "12")))


class Vault:
    """`guids`: what of the replicas is here. `runs`: what each replication brings; behind the socket is one."""

    def __init__(self, folder: Path) -> None:
        self.guids: dict[str, str] = {}
        self.runs: list[dict[str, str]] = []
        self.asked: list[bytes] = []
        self.pool = "10\tONLINE\n"
        (folder / "live/node1/now").mkdir(parents=True)
        self.live = folder / "live"
        config = Signals("vault1", "backup", {"node1": Grant()})
        self.taken: list[tuple[str, bytes]] = []
        self.refuses: Refused | None = None
        self.here = Here(config, self._take, str(self.live), self.zfs, str(folder / "verbs"), lambda: None)
        self.listening = socket(AF_UNIX)
        self.listening.bind(str(folder / "verbs"))
        self.listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self.listening.accept()
            except OSError:
                return
            with one:
                self.asked.append(one.recv(100))
                self.guids |= self.runs.pop(0) if self.runs else {}
                one.sendall(b"no space left\n")

    async def _take(self, node: str, said: bytes) -> None:
        if self.refuses:
            raise self.refuses
        self.taken.append((node, said))

    def zfs(self, *words: str) -> str:
        if words[0] == "zpool":
            return self.pool
        dataset = words[-1].removeprefix("backup/vault/replicas/node1/").partition("@")[0]
        if dataset not in self.guids:
            raise CommandError(f"cannot open '{words[-1]}': dataset does not exist")
        return self.guids[dataset] + "\n"

    def pull(self) -> set[str]:
        return asyncio.run(self.here.pull("node1", ON))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    found = Vault(tmp_path)
    yield found
    found.listening.close()


def test_what_is_here_already_is_not_pulled_again(vault: Vault) -> None:
    vault.guids = {"tank/a": "11", "tank/b": "12"}
    assert vault.pull() == {"11", "12"} and vault.asked == []


def test_a_replication_that_began_before_is_followed_by_another(vault: Vault) -> None:
    vault.runs = [{"tank/a": "11"}, {"tank/b": "12"}]
    assert vault.pull() == {"11", "12"} and vault.asked == [b"replicate node1\n"] * 2


def test_what_does_not_arrive_is_named_with_the_reason(vault: Vault) -> None:
    vault.guids = {"tank/a": "11", "tank/b": "99"}
    with pytest.raises(Unpulled, match=r"^tank/b: not here yet \(no space left\)$") as found:
        vault.pull()
    assert found.value.here == {"11"}


def test_without_root_behind_the_socket_nothing_is_pulled(vault: Vault) -> None:
    vault.here.verbs += ".none"
    with pytest.raises(Silent, match="could not be started"):
        vault.pull()


def test_replicas_that_cannot_be_read_are_not_missing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*words: str) -> str:
        raise CommandError("cannot open: I/O error")

    monkeypatch.setattr(vault.here, "_zfs", broken)
    with pytest.raises(Failed, match="could not be read: cannot open: I/O error"):
        vault.pull()


def unfit(vault: Vault, severity: str = "may-break") -> str:
    return asyncio.run(vault.here.unfit(severity))


def test_a_vault_says_why_it_could_not_keep_its_promise(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unfit(vault) == unfit(vault, "will-break") == ""
    vault.pool = "96\tONLINE\n"
    assert unfit(vault) == "" and "backup is 96 % full" in unfit(vault, "will-break")
    vault.pool = "9\tSUSPENDED\n"
    assert unfit(vault, "will-break") == "its pool backup is SUSPENDED; look: zpool status backup"
    vault.pool = "?"
    assert "could not be read" in unfit(vault, "will-break")

    def statvfs(flag: int, room: int) -> Any:
        return type("Room", (), {"f_flag": flag, "f_bavail": room, "f_frsize": 4096})

    monkeypatch.setattr(here.os, "statvfs", lambda path: statvfs(os.ST_RDONLY, 10**9))
    monkeypatch.setattr(here.os.path, "ismount", lambda path: True)
    monkeypatch.setattr(vault.here, "_ready", writable)
    assert unfit(vault).startswith("/srv/blackstart/live is read-only; next: ")
    monkeypatch.setattr(vault.here, "_ready", lambda: None)
    monkeypatch.setattr(here.os, "statvfs", lambda path: statvfs(0, 0))
    assert unfit(vault).endswith("is full; look: zfs list -o space -r backup")

    def unmounted() -> None:
        raise OSError("/srv/blackstart/live is not mounted")

    monkeypatch.setattr(vault.here, "_ready", unmounted)
    assert unfit(vault).startswith("/srv/blackstart/live is not mounted; next: ")


def test_the_spec_as_last_applied_is_the_records(vault: Vault) -> None:
    assert vault.here.applied("node1") == ("", "")
    (vault.live / "node1/record.json").write_text(json.dumps({"applied": {"digest": "sha256:1", "commit": "c0ffee"}}))
    assert vault.here.applied("node1") == ("sha256:1", "c0ffee")
    (vault.live / "node1/record.json").write_text(json.dumps({"applied": None}))
    assert vault.here.applied("node1") == ("", "")


def test_what_ran_is_the_newest_that_is_known_of_the_node(vault: Vault) -> None:
    path = vault.live / "node1/now/x.reading"
    path.write_text("BEGIN")

    def learn(why: Refused | None = None) -> str:
        vault.refuses = why
        return asyncio.run(vault.here.learn("node1", str(path)))

    assert learn() == "" and vault.taken == [("node1", b"BEGIN")]
    assert learn(Refused(409, "sequence 1 is not after 2")) == ""  # it sent a newer one meanwhile
    assert learn(Refused(422, "this is no reading")).endswith("did not become its state.json: this is no reading")
    path.unlink()
    assert learn().endswith("did not become its state.json: No such file or directory")


def verbs(folder: Path, said: str) -> tuple[str, list[str]]:
    for name in ("systemctl", "journalctl"):
        (folder / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >>{folder}/calls\n[ {name} = journalctl ] && echo why; exit 1\n'
        )
        (folder / name).chmod(0o755)
    (folder / "node1.json").touch()
    text = render("signal/verbs.sh.j2", replication=str(folder)).decode()
    text = text.replace("PATH=/usr/sbin", f"PATH={folder}:/usr/sbin")
    done = subprocess.run(["sh", "-c", text], input=said, capture_output=True, text=True, check=False)
    path = folder / "calls"
    return done.stdout, path.read_text().splitlines() if path.exists() else []


def test_root_replicates_what_this_vault_pulls_and_says_why_not(tmp_path: Path) -> None:
    said, calls = verbs(tmp_path, "replicate node1\n")
    unit = "blackstart-replicate@node1.service"
    assert said == "why\n" and calls == [
        f"systemctl start -- {unit}",
        f"journalctl -q -u {unit} -n 1 -o cat --no-pager",
    ]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "replicate",
        "replicate node2\n",
        "replicate ../node1\n",
        "replicate node1 x\n",
        "start sshd\n",
        "replicate node1;reboot\n",
        "replicate *\n",
    ],
)
def test_root_does_nothing_else(tmp_path: Path, said: str) -> None:
    answer, calls = verbs(tmp_path, said)
    assert calls == [] and answer in ("", "verbs: refused\n", "this vault does not pull node2\n")
