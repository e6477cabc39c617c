"""What happens to a machine's disks: lost, replaced, filled, moved. All but filling needs the machine off."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

from . import image, qemu
from .defined import Defined
from .errors import LabError
from .identity import Identity, host_key_files, make_host_keys, new_serials, public_key, seed, seed_files
from .spec import DiskSpec


def create(path: Path, size: int) -> None:
    """An empty disk; it takes room only for what is written."""
    path.unlink(missing_ok=True)
    _qemu_img("create", "-q", "-f", "qcow2", str(path), str(size))


def create_overlay(path: Path, base: Path) -> None:
    """A stock system: a layer of changes over the base image, which stays as it is."""
    path.unlink(missing_ok=True)
    _qemu_img("create", "-q", "-f", "qcow2", "-b", str(base), "-F", "qcow2", str(path))


def parse_snapshots(listing: str) -> list[str]:
    """Names out of `qemu-img snapshot -l`: lines of number, name, size, date ..."""
    rows = (line.split() for line in listing.splitlines())
    return [row[1] for row in rows if len(row) > 3 and row[0].isdigit()]


def _qemu_img(*words: str) -> str:
    done = subprocess.run(["qemu-img", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise LabError(f"qemu-img {words[0]}: {done.stderr.strip()}")
    return done.stdout


class Disks(Defined):
    """The part of a machine that deals with disks."""

    def _off(self) -> None:
        if self.is_running:
            raise LabError(f"{self.name} is running: kill() or shutdown() first")

    def install(self) -> None:
        """Put a stock system on the system disk, under the identity of now."""
        self._off()
        base = image.ensure()
        now = dataclasses.replace(self.state, image=str(base.folder))
        make_host_keys(self.folder / "keys")
        login = public_key(self.lab.root / "id_ed25519.pub")
        files = seed_files(now.spec, now.identity, host_key_files(self.folder / "keys"), login)
        (self.folder / "initrd").write_bytes(base.initrd.read_bytes() + seed(files))
        create_overlay(qemu.os_disk(self.folder), base.disk)
        self._remember(now)
        self.lab.write_ssh_files()

    def lose_disks(self, system: bool = True, data: bool = True) -> None:
        """The disks are gone, with what was on them."""
        self._off()
        if system:
            qemu.os_disk(self.folder).unlink(missing_ok=True)
        for disk in self.disks if data else ():
            self.lose_disk(disk.serial)

    def lose_disk(self, serial: str) -> None:
        """One data disk is gone; the machine can start without it."""
        self._off()
        self._known(serial)
        qemu.data_disk(self.folder, serial).unlink(missing_ok=True)
        self._remember(dataclasses.replace(self.state, disks=tuple(d for d in self.disks if d.serial != serial)))

    def add_disk(self, disk: DiskSpec) -> None:
        """A new, empty data disk, there from the next start on."""
        self._off()
        if disk.serial in {have.serial for have in self.disks}:
            raise LabError(f"{self.name} already has a disk {disk.serial}")
        create(qemu.data_disk(self.folder, disk.serial), disk.size)
        self._remember(dataclasses.replace(self.state, disks=(*self.disks, disk)))

    def replace(self, disks: tuple[DiskSpec, ...] | None = None) -> None:
        """Another machine in its place, as a provider hands it over: stock system, empty disks, nothing in common
        with the lost one but name and address. Disks of the same sizes under new serials, unless given."""
        self._off()
        if disks is None:
            sizes = [disk.size for disk in self.spec.disks]
            serials = new_serials(self.name, len(sizes))
            disks = tuple(DiskSpec(s, size) for s, size in zip(serials, sizes, strict=True))
        self.lose_disks()
        self._remember(dataclasses.replace(self.state, identity=Identity.new(), disks=()))
        for disk in disks:
            self.add_disk(disk)
        self.install()

    def reinstall_os(self) -> None:
        """The system was lost and the data survived: stock system, new hostid and host keys, same hardware."""
        self._off()
        self._remember(dataclasses.replace(self.state, identity=self.state.identity.reinstalled()))
        self.install()

    def snapshots(self) -> list[str]:
        """Names that load() knows."""
        listing = _qemu_img("snapshot", "-U", "-l", str(qemu.os_disk(self.folder)))
        return parse_snapshots(listing)

    def _known(self, serial: str) -> DiskSpec:
        for disk in self.disks:
            if disk.serial == serial:
                return disk
        have = ", ".join(disk.serial for disk in self.disks) or "none"
        raise LabError(f"{self.name} has no disk {serial}; it has: {have}")


def swap(a: Disks, serial_a: str, b: Disks, serial_b: str) -> None:
    """Move two data disks into each other's machine, serials and content with them."""
    a._off()
    b._off()
    disk_a, disk_b = a._known(serial_a), b._known(serial_b)
    aside = a.folder / "swap"
    shutil.move(qemu.data_disk(a.folder, serial_a), aside)
    shutil.move(qemu.data_disk(b.folder, serial_b), qemu.data_disk(a.folder, serial_b))
    shutil.move(aside, qemu.data_disk(b.folder, serial_a))
    a._remember(dataclasses.replace(a.state, disks=tuple(disk_b if d == disk_a else d for d in a.disks)))
    b._remember(dataclasses.replace(b.state, disks=tuple(disk_a if d == disk_b else d for d in b.disks)))
