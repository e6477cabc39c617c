"""Which values ZFS takes for its native properties (zfsprops(7) of OpenZFS 2.3). Pure."""

from __future__ import annotations

import re

from blackstart.spec.resolve import exact

_SWITCHES = (
    "atime devices exec longname nbmand overlay readonly relatime setuid utf8only vscan zoned"  # as mount(8) has them
)
_SIZE = re.compile(r"\d+")
_LIMITS = ("filesystem_limit", "quota", "refquota", "refreservation", "reservation", "snapshot_limit")
_WORDS = {
    "aclinherit": "discard noallow restricted passthrough passthrough-x",
    "aclmode": "discard groupmask passthrough restricted",
    "acltype": "off noacl nfsv4 posix posixacl",
    "casesensitivity": "sensitive insensitive mixed",
    "checksum": "on off fletcher2 fletcher4 sha256 noparity sha512 skein edonr blake3",
    "copies": "1 2 3",
    "direct": "disabled standard always",
    "dnodesize": "legacy auto 1k 2k 4k 8k 16k",
    "logbias": "latency throughput",
    "normalization": "none formC formD formKC formKD",
    "prefetch": "none metadata all",
    "primarycache": "all none metadata",
    "redundant_metadata": "all most some none",
    "secondarycache": "all none metadata",
    "snapdev": "hidden visible",
    "snapdir": "disabled hidden visible",
    "sync": "standard always disabled",
    "xattr": "on off sa dir",
    **dict.fromkeys(_SWITCHES.split(), "on off"),
}
_PATTERNS = {
    "compression": (
        re.compile(
            r"on|off|lz4|lzjb|zle|gzip(-[1-9])?|zstd(-([1-9]|1[0-9]))?|zstd-fast(-([1-9]|[1-9]0|100|500|1000))?"
        ),
        "on, off, lz4, gzip, gzip-1 to gzip-9, zstd, zstd-1 to zstd-19, zstd-fast or zle",
    ),
    "dedup": (
        re.compile(r"on|off|verify|(sha256|sha512|skein|blake3)(,verify)?|edonr,verify"),
        "on, off, verify, sha256, sha512, skein or blake3",
    ),
}
_LARGEST = 16 * 1024**2  # bytes of a record


def wrong(name: str, value: str) -> str:
    """What ZFS takes instead of `value`, as in `must be on or off`; "" where it takes it, or that is not known here."""
    if name in _WORDS:
        words = _WORDS[name].split()
        return "" if value in words else f"must be {', '.join(words[:-1])} or {words[-1]}"
    if name in _PATTERNS:
        pattern, says = _PATTERNS[name]
        return "" if pattern.fullmatch(value) else f"must be {says}"
    number = exact(name, value)
    if name in _LIMITS:
        return "" if value == "none" or _SIZE.fullmatch(number) else "must be a number, a size like 10G, or none"
    if name in ("recordsize", "special_small_blocks"):
        return "" if _is_block(name, number) else "must be a power of two from 512 to 16M, like 16K"
    return ""


def _is_block(name: str, number: str) -> bool:
    if not _SIZE.fullmatch(number):
        return False
    size = int(number)
    return (size == 0 and name != "recordsize") or (512 <= size <= _LARGEST and size & (size - 1) == 0)
