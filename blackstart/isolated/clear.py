"""Destroys what a drill has made on the vault: one of the named exceptions to "nothing is ever destroyed".

As bs-drill, who may destroy below `<pool>/vault/drills` and nowhere else. What goes carries a drill's own mark, set
when it was made, and is a clone of one of this node's replicas, or was made empty by a drill. Anything else stays.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from blackstart.isolated.config import Config
from blackstart.vault.zfs import CommandError, run

MARK = "blackstart:drill"  # the drill's id, in hex
_ID = re.compile(r"[0-9a-f]{16}")
_MADE_EMPTY = re.compile(r"(scratch|image-[0-9a-f]{12})")
BUSY = ("busy", "dataset is busy")
PATIENCE = 30  # seconds until the kernel has let go of a container's mounts


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset or a snapshot below a node's parent. `origin`: the snapshot it is a clone of, "" for none."""

    name: str
    guid: str
    origin: str
    mark: str  # "" where it is not the dataset's own


def listed(config: Config) -> list[Made]:
    """All that there is below the node's parent; [] where it does not exist. Raises CommandError."""
    columns = f"name,guid,origin,{MARK}"
    above = config.parent.rpartition("/")[0]
    text = run("zfs", "list", "-Hp", "-r", "-t", "filesystem,volume,snapshot", "-o", columns, above)
    found = [line.split("\t") for line in text.splitlines()]
    own = [each for each in found if each[0].startswith(f"{config.parent}/")]
    return [Made(name, guid, "" if origin == "-" else origin, _marked(mark)) for name, guid, origin, mark in own]


def _marked(mark: str) -> str:
    return mark if _ID.fullmatch(mark) else ""


def removable(config: Config, made: Sequence[Made]) -> tuple[list[Made], list[str]]:
    """What may go, in the order in which it can, and one sentence for each thing that stays.

    Clones before the snapshots and datasets that they are made of. The parent stays: it carries no mark, which all
    below it would inherit.
    """
    going = [each for each in made if each.mark and _is_ours(config, each)]
    left = [f"{each.name} was not made by a drill of {config.node}: it stays" for each in made if each not in going]
    return sorted(going, key=lambda each: (not each.origin, "@" not in each.name, each.name)), left


def _is_ours(config: Config, each: Made) -> bool:
    """A clone of this node's replica, or of an image that a drill unpacked; or such an image, or the scratch."""
    dataset, at, snapshot = each.name.partition("@")
    short = dataset.removeprefix(f"{config.parent}/")
    if at:
        return snapshot == "image" and bool(re.fullmatch(r"image-[0-9a-f]{12}", short))
    if each.origin:
        return each.origin.startswith((f"{config.replicas}/", f"{config.parent}/image-"))
    return bool(_MADE_EMPTY.fullmatch(short))


def clear(config: Config, wait: Callable[[float], None] = time.sleep) -> tuple[list[str], list[str]]:
    """Lines about what went, and about what stayed. Raises CommandError where the list could not be read."""
    order, left = removable(config, listed(config))
    gone = []
    for each in order:
        said = _destroy(each, wait)
        if said:
            left.append(f"{each.name} could not be removed: {said}")
        else:
            gone.append(f"removed {each.name} (guid {each.guid})")
    return gone, left


def _destroy(each: Made, wait: Callable[[float], None]) -> str:
    """Why not, "" when it is gone."""
    for attempt in range(PATIENCE):
        try:
            # Matched by guid once more; without -r, -R, -f or -d: this one or nothing.
            if run("zfs", "get", "-Hp", "-o", "value", "guid", each.name).strip() != each.guid:
                return "another one has taken its name meanwhile"
            run("zfs", "destroy", each.name)
            return ""
        except CommandError as error:
            if "does not exist" in str(error):
                return ""
            if not any(word in str(error) for word in BUSY) or attempt == PATIENCE - 1:
                return str(error)
            wait(1)
    raise AssertionError
