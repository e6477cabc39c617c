"""Who asked for the replication that a unit is started for: a unit takes no words, so they lie in the node's folder."""

from __future__ import annotations

from pathlib import Path

from blackstart.change import shell
from blackstart.vault import layout

INTERVAL = "interval"  # nobody: the timer
_NAME = "asked"


def ask(node: str, why: str) -> str:
    """Shell, as root on the vault, that leaves one line for the next replication of `node`; none where it cannot."""
    path = f"{layout.node_folder(node)}/{_NAME}"
    fresh = f"{path}.new"
    return (
        f"mountpoint -q {shell(layout.LIVE)} && echo {shell(why)} > {shell(fresh)} && {shell('mv', '-T', fresh, path)}"
    )


def take(folder: Path) -> str:
    """What was asked, once; INTERVAL where nobody did, or what is there cannot be read."""
    path = folder / _NAME
    try:
        said = path.read_text(encoding="utf-8", errors="replace").split("\n")[0].strip()
        path.unlink()
    except OSError:
        return INTERVAL
    return said[:200] or INTERVAL
