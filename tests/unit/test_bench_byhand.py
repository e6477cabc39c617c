"""The rebuild by hand that the tool is measured against: whole, in order, and as shy of destroying as the tool."""

from __future__ import annotations

import subprocess
import threading
from typing import Any, cast

import pytest
from converge_world import FLEET, KEY, node1

from blackstart.bench.byhand import Hand
from blackstart.converge.everything import wanted
from blackstart.lab import Machine

DISKS = {"virtio-N1A0001": "virtio-X", "virtio-N1B0001": "virtio-Y"}


class Recorder:
    """A machine that only writes down; a command that is no shell at all is an error."""

    def __init__(self, ran: list[str]) -> None:
        self.ran = ran
        self.lock = threading.Lock()

    def sudo(self, command: str, check: bool = True, input: str | None = None, timeout: float = 0) -> Any:
        subprocess.run(["sh", "-n"], input=command, text=True, check=True)
        with self.lock:
            self.ran.append(command)
        return subprocess.CompletedProcess("", 0, stdout=f"{KEY} key@vault1\n")

    ssh = sudo


@pytest.fixture(scope="module")
def ran() -> list[str]:
    spec, context = node1()
    done: list[str] = []
    machine = cast(Machine, Recorder(done))
    Hand(spec, wanted(spec, context), {"notes": b"archive"}, FLEET, machine, machine, "backup").rebuild(DISKS)
    return done


def position(ran: list[str], word: str) -> int:
    found = [number for number, command in enumerate(ran) if word in command]
    assert len(found) == 1, f"{word}: {len(found)} times"
    return found[0]


def test_everything_that_is_replicated_comes_back_before_what_needs_it_starts(ran: list[str]) -> None:
    pool = position(ran, "zpool create")
    for container, datasets in {"notes": ["tank/data/notes"], "ledger": ["tank/data/ledger"], "files": []}.items():
        for dataset in [*datasets, *(["tank/lxc/files"] if container == "files" else [])]:
            received, mounted = position(ran, f"zfs receive -s -u {dataset}"), position(ran, f"zfs mount {dataset}")
            assert pool < received < mounted < position(ran, f"systemctl start lxc@{container}.service")
    assert position(ran, "systemctl start lxc@notes.service") < position(ran, "systemctl start lxc@ledger.service")


def test_it_is_on_the_new_disks_and_destroys_nothing(ran: list[str]) -> None:
    create = ran[position(ran, "zpool create")]
    assert "/dev/disk/by-id/virtio-X /dev/disk/by-id/virtio-Y" in create
    assert not any(
        word in command for command in ran for word in ("create -f", "receive -F", "zfs destroy", "rollback")
    )
