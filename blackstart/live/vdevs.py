"""The text of `zpool status` and `zpool import` has one shape: labelled parts, and the vdev tree under `config:`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LABEL = re.compile(r"^ *(pool|id|state|status|action|see|scan|comment|remove|checkpoint|config|errors): ?(.*)$")


def pool_blocks(text: str) -> Iterator[tuple[dict[str, str], tuple[tuple[str, str], ...]]]:
    """Per pool: its labels, and its leaf vdevs as (name, state). Raises ValueError on a block without a pool."""
    labels: dict[str, str] = {}
    tree: list[str] = []
    current = ""
    for line in text.splitlines():
        match = _LABEL.match(line)
        if match:
            if match[1] == "pool" and labels:
                yield labels, _leaves(labels, tree)
                labels, tree = {}, []
            current = match[1]
            labels[current] = match[2].strip()
        elif current == "config" and line.startswith("\t") and line.strip():
            tree.append(line[1:])
    if labels:
        yield labels, _leaves(labels, tree)


def _leaves(labels: dict[str, str], tree: list[str]) -> tuple[tuple[str, str], ...]:
    """Lines with no deeper line after them. Vdev groups have children; the pool's own line comes first."""
    pool = labels["pool"]
    rows = [(len(line) - len(line.lstrip(" ")), line.split()) for line in tree]
    rows = [(depth, found) for depth, found in rows if found[:2] != ["NAME", "STATE"]]
    if not rows or rows[0][1][0] != pool:
        raise ValueError(f"pool {pool} comes without its vdevs")
    leaves = []
    for position, (depth, found) in enumerate(rows):
        following = rows[position + 1][0] if position + 1 < len(rows) else -1
        if depth > 0 and following <= depth:
            leaves.append((found[0], found[1] if len(found) > 1 else ""))
    return tuple(leaves)
