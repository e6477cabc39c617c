"""What a machine of the lab is, as data."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

GB = 10**9

_NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")
_SERIAL = re.compile(r"[A-Za-z0-9_.-]{1,20}")  # virtio-blk carries twenty characters, and no more


@dataclass(frozen=True)
class DiskSpec:
    """An empty data disk. The guest sees it as `/dev/disk/by-id/virtio-SERIAL`."""

    serial: str
    size: int

    def __post_init__(self) -> None:
        if not _SERIAL.fullmatch(self.serial):
            raise ValueError(f"disk serial {self.serial!r}: one to twenty letters, digits, '-', '_' or '.'")


@dataclass(frozen=True)
class MachineSpec:
    """A stock Debian host: its name, the address its fleet spec gives it, and its disks."""

    name: str
    address: str
    user: str = "admin"
    disks: tuple[DiskSpec, ...] = ()
    memory_mib: int = 1536
    cpus: int = 2
    forwards: tuple[int, ...] = field(default=())
    # Guest flushes count, so a kill loses what a power cut may lose and no more. "unsafe" is faster,
    # and then a killed machine may come back with a torn disk.
    cache: str = "writeback"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"machine name {self.name!r}: a lower-case letter, then up to 14 of a-z 0-9 -")
        ipaddress.IPv4Address(self.address)
        serials = [disk.serial for disk in self.disks]
        if len(set(serials)) != len(serials):
            raise ValueError(f"machine {self.name}: two disks have the same serial")
