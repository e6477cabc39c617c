"""From an installed Debian kernel to what QEMU boots fastest: an uncompressed vmlinux and a tiny initrd."""

from __future__ import annotations

import gzip
import lzma
import struct
import subprocess
from pathlib import Path

from .cpio import Entry, archive


def vmlinux(bzimage: bytes) -> bytes:
    """Unpack a bzImage by its own header; QEMU starts the ELF inside through its PVH entry."""
    setup_sectors = bzimage[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    begin = (setup_sectors + 1) * 512 + offset
    elf = _decompressed(bzimage[begin : begin + length])
    if not elf.startswith(b"\x7fELF"):
        raise ValueError("the kernel's payload is no ELF file")
    return elf


def _decompressed(payload: bytes) -> bytes:
    if payload.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(payload)  # stops at its end: the size follows it
    if payload.startswith(b"\x1f\x8b"):
        return gzip.decompress(payload[:-4])
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        command = ["zstd", "-d", "-c", "-q"]
        return subprocess.run(command, input=payload[:-4], capture_output=True, check=True).stdout
    raise ValueError(f"unknown kernel compression {payload[:6].hex()}")


def initrd(busybox: bytes, init: str, modules: list[Path]) -> bytes:
    """The first user space: busybox, the modules of the root disk, and the script that hands over."""
    files = {"bin/busybox": Entry(busybox, 0o755), "init": Entry(init.encode(), 0o755)}
    for module in modules:
        files[f"modules/{module.name}"] = Entry(module.read_bytes())
    order = "".join(f"{module.name}\n" for module in modules)
    files["modules/order"] = Entry(order.encode())
    return archive(files)
