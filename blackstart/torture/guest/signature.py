"""The least that blkid takes for a file system or a part of an array, as (offset, bytes). Pure."""

from __future__ import annotations

import struct

_LABEL_CRC = 0xF597A6CF


def image(kind: str, size: int) -> list[tuple[int, bytes]]:
    """`size`: of the device, in bytes. Raises KeyError for a kind that it does not know."""
    return {
        "ext4": _ext4,
        "linux_raid_member": _raid,
        "LVM2_member": _lvm,
        "crypto_LUKS": _luks,
    }[kind](size)


def _ext4(size: int) -> list[tuple[int, bytes]]:
    block = bytearray(1024)
    struct.pack_into("<II", block, 0, 1024, 4096)
    struct.pack_into("<H", block, 0x38, 0xEF53)
    struct.pack_into("<I", block, 0x4C, 1)  # revision
    struct.pack_into("<III", block, 0x5C, 0x4, 0x42, 0x1)  # a journal, extents: what ext3 cannot read
    block[0x68:0x78] = b"torture-torture-"
    return [(1024, bytes(block))]


def _raid(size: int) -> list[tuple[int, bytes]]:
    words = struct.pack("<16I", 0xA92B4EFC, 0, 90, 0, 0, 1, 0, 1, 1024, 2, 2, 0, 0, 2, 3, 4)
    return [((size & ~0xFFFF) - 0x10000, words.ljust(512, b"\0"))]


def _lvm(size: int) -> list[tuple[int, bytes]]:
    rest = struct.pack("<I", 32) + b"LVM2 001" + b"T" * 32
    rest = rest.ljust(512 - 20, b"\0")
    head = b"LABELONE" + struct.pack("<QI", 1, _crc(rest))
    return [(512, head + rest)]


def _crc(data: bytes) -> int:
    found = _LABEL_CRC
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = (found >> 1) ^ (0xEDB88320 if found & 1 else 0)
    return found


def _luks(size: int) -> list[tuple[int, bytes]]:
    head = bytearray(592)
    head[:8] = b"LUKS\xba\xbe\0\1"
    head[8:11], head[40:51], head[72:76] = b"aes", b"xts-plain64", b"sha1"
    struct.pack_into(">II", head, 104, 4096, 32)
    head[168:204] = b"11111111-2222-3333-4444-555555555555"
    return [(0, bytes(head))]
