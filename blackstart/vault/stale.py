"""Receives of a replication that can never go on: named by the user who receives, given up by the one who may destroy.

Beside pruning, this is all that is destroyed on a vault: the part of our own stream that had come before it was cut
off. No snapshot of anybody is in it.
"""

from __future__ import annotations

import json
from pathlib import Path

from blackstart.vault import files
from blackstart.vault.zfs import CommandError, receiving, run

FORMAT = 1
_NAME = "stale.json"


def write(folder: Path, tokens: dict[str, str]) -> None:
    """As the receiving user: the replicas whose receive is to be given up, each with its token. Raises OSError."""
    path = folder / _NAME
    if tokens:
        files.replace(path, json.dumps({"format": FORMAT, "tokens": tokens}, indent=1, sort_keys=True) + "\n")
    else:
        path.unlink(missing_ok=True)


def read(folder: Path) -> dict[str, str]:
    """Replica -> token. Raises ValueError when there is a list that cannot be understood, OSError."""
    try:
        data = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("tokens"), dict):
        raise ValueError(f"{folder / _NAME} is no list of format {FORMAT}")
    return {str(name): str(token) for name, token in data["tokens"].items()}


def still_stale(asked: dict[str, str], now: dict[str, str], root: str) -> list[str]:
    """Those below `root` that carry the very token that was named: a receive that went on since is nobody's to end."""
    return sorted(name for name, token in asked.items() if name.startswith(f"{root}/") and token == now.get(name))


def give_up(folder: Path, root: str) -> list[str]:
    """As the pruning user: lines about what was given up below `root`. Raises CommandError, ValueError, OSError."""
    asked = read(folder)
    said = []
    for name in still_stale(asked, receiving(root), root) if asked else ():
        # Of a dataset with snapshots this takes only what had come of the next one; otherwise the half-made dataset.
        try:
            run("zfs", "receive", "-A", name)
        except CommandError as error:
            raise CommandError(f"{name}: the receive that cannot go on was not given up: {error}") from error
        said.append(f"{name}: gave up a receive whose snapshot is gone from the node")
    return said
