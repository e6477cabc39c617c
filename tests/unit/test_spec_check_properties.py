"""`properties`: what the rest of the spec says is not said there, and a misspelled name is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import node, problems, write


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('mountpoint = "/x"', "where it is mounted follows"),
        ('canmount = "off"', "whether it is mounted follows"),
        ('quota = "1M"', "the dataset's own `quota`"),
        ('encryption = "on"', "the dataset's own `encryption` says it"),
        ('recordsze = "16K"', "is no property of ZFS; did you mean 'recordsize'?"),
    ],
)
def test_what_is_a_mistake(tmp_path: Path, given: str, words: str) -> None:
    (found,) = problems(write(tmp_path, **node(f'\n[datasets."tank/more"]\nproperties = {{ {given} }}\n')))
    assert words in found and "nodes/node1.toml:" in found and given.split()[0] in found


def test_what_is_none(tmp_path: Path) -> None:
    """A user's own property, and one that is like none that is known."""
    more = 'properties = { recordsize = "16K", "com.example:owner" = "ann", qqq = "1" }'
    assert problems(write(tmp_path, **node(f'\n[datasets."tank/more"]\n{more}\n'))) == []
