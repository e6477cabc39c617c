"""The lab's command lines, as data."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from blackstart.lab import DiskSpec, MachineSpec, qemu
from blackstart.lab.identity import Identity
from blackstart.lab.image import Image

IDENTITY = Identity("00c0ffee", "0" * 32, "OS1", "52:54:00:00:00:01", "52:54:00:00:00:02")


def boot(accel: str = "tcg", snapshot: str | None = None) -> qemu.Boot:
    return qemu.Boot(
        spec=MachineSpec("node1", "203.0.113.11", disks=(DiskSpec("A1", 1), DiskSpec("B1", 1))),
        identity=IDENTITY,
        folder=Path("/lab/node1"),
        image=Image(Path("/cache/abc")),
        accel=accel,
        ssh_port=2201,
        forwards={8100: 2202},
        disks=("A1",),
        switch=Path("/lab/vde"),
        snapshot=snapshot,
    )


def after(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


def test_disks_carry_serials_and_a_lost_one_is_not_attached() -> None:
    words = qemu.command(boot())
    assert after(words, "-drive") == [
        "file=/lab/node1/os.qcow2,if=none,id=d0,format=qcow2,cache=writeback,discard=unmap",
        "file=/lab/node1/disk-A1.qcow2,if=none,id=d1,format=qcow2,cache=writeback,discard=unmap",
    ]
    assert after(words, "-device")[:2] == [
        "virtio-blk-pci,drive=d0,serial=OS1",
        "virtio-blk-pci,drive=d1,serial=A1",
    ]


def test_the_network_stays_on_loopback_and_unix_sockets() -> None:
    forwards = "hostfwd=tcp:127.0.0.1:2201-:22,hostfwd=tcp:127.0.0.1:2202-:8100"
    assert after(qemu.command(boot()), "-netdev") == [
        f"user,id=control,restrict=on,{forwards}",
        "vde,id=mesh,sock=/lab/vde",
    ]


def test_emulation_leaves_out_what_panics_the_guest() -> None:
    assert "-cx16" in after(qemu.command(boot("tcg")), "-cpu")[0]
    assert after(qemu.command(boot("kvm")), "-cpu") == ["host"]
    # Two emulated CPUs do, each while the other patches the kernel's code.
    assert after(qemu.command(boot("tcg")), "-smp") == ["1"] and after(qemu.command(boot("kvm")), "-smp") == ["2"]


def test_a_snapshot_is_loaded_at_start() -> None:
    assert "-loadvm" not in qemu.command(boot())
    assert after(qemu.command(boot(snapshot="warm")), "-loadvm") == ["warm"]


@pytest.mark.parametrize("serial", ["", "a" * 21, "a,b", "a b"])
def test_a_serial_that_the_guest_would_not_see_whole_is_refused(serial: str) -> None:
    with pytest.raises(ValueError, match="disk serial"):
        DiskSpec(serial, 1)


def test_two_disks_of_one_serial_are_refused() -> None:
    with pytest.raises(ValueError, match="same serial"):
        MachineSpec("node1", "203.0.113.11", disks=(DiskSpec("A1", 1), DiskSpec("A1", 1)))
