"""`properties`: what the rest of the spec says is not said there, and a misspelled name is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import node, problems, write

from blackstart.spec.property_values import wrong


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('mountpoint = "/x"', "where it is mounted follows"),
        ('canmount = "off"', "whether it is mounted follows"),
        ('quota = "1M"', "the dataset's own `quota`"),
        ('encryption = "on"', "the dataset's own `encryption` says it"),
        ('recordsze = "16K"', "is no property of ZFS; did you mean 'recordsize'?"),
        ('recordsize = "17K"', "'17K' is no value that ZFS takes; it must be a power of two from 512 to 16M"),
        ('compression = "zst"', "it must be on, off, lz4"),
        ('atime = "no"', "it must be on or off"),
        ('sync = "never"', "it must be standard, always or disabled"),
        ('refquota = "much"', "it must be a number, a size like 10G, or none"),
    ],
)
def test_what_is_a_mistake(tmp_path: Path, given: str, words: str) -> None:
    (found,) = problems(write(tmp_path, **node(f'\n[datasets."tank/more"]\nproperties = {{ {given} }}\n')))
    assert words in found and "nodes/node1.toml:" in found and given.split()[0] in found


TAKEN = """
recordsize=128k recordsize=1M recordsize=131072 special_small_blocks=0 special_small_blocks=32K compression=zstd-3
compression=zstd-fast-20 compression=gzip-9 compression=lz4 dedup=sha256,verify refquota=10G refquota=none copies=2
filesystem_limit=100 dnodesize=auto xattr=sa acltype=posix sync=disabled atime=off redundant_metadata=most
"""


@pytest.mark.parametrize("given", TAKEN.split())
def test_what_zfs_takes(given: str) -> None:
    assert not wrong(*given.split("="))


@pytest.mark.parametrize("given", ["recordsize=0", "recordsize=256", "recordsize=32M", "recordsize=big", "copies=4"])
def test_what_zfs_refuses(given: str) -> None:
    assert wrong(*given.split("="))


def test_what_is_none(tmp_path: Path) -> None:
    """A user's own property, and one that is like none that is known."""
    more = 'properties = { recordsize = "16K", "com.example:owner" = "ann", qqq = "1" }'
    assert problems(write(tmp_path, **node(f'\n[datasets."tank/more"]\n{more}\n'))) == []
