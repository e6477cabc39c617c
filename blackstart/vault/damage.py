"""Snapshots that this vault's own disks no longer give back whole: noted by guid in the node's folder.

`zpool status -v` is not asked for them. Seen with OpenZFS 2.3.9: it names the newest snapshot that has the bad block,
not the older ones that have it too; and one damaged dataset whose key is not loaded, as on every vault, takes the whole
list away ("List of errors unavailable: permission denied", for root as well). What counts is whether `zfs send` reads a
snapshot to its end; that ZFS counts any error at all says when to try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from blackstart.vault import files, layout
from blackstart.vault.zfs import Snapshot

FORMAT = 1
NAME = "damage.json"

# Prints `PATH:LINE` of every node's note; no process where there is none.
SECTION = f"""
damage() {{
  for f in "$LIVE"/*/{NAME}; do [ -h "$f" ] || [ ! -e "$f" ] || grep -aH '' "$f"; done
}}
section damage damage
"""


@dataclass(frozen=True, slots=True)
class Damage:
    """`bad`: guid -> one clause. `whole`: guids that were read to their end since ZFS counted `errors`."""

    errors: int = 0
    bad: Mapping[str, str] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    format: int = FORMAT


def unreadable(said: str) -> bool:
    """Whether `zfs send` failed by the sender's own disk: what a receiver says goes before it (restore_pipe.cause)."""
    return "cannot send" in said and "Input/output error" in said


def count(text: str) -> int:
    """Data errors as `zpool status POOL` counts them for anybody. Raises ValueError."""
    found = re.search(r"^errors: (?:(No known)|(\d+)) data errors", text, re.MULTILINE)
    if not found:
        raise ValueError("zpool status did not say how many data errors there are")
    return int(found[2] or 0)


def parse(text: str) -> Damage:
    """Read `dump`'s JSON. Raises ValueError."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        bad = {str(guid): str(why) for guid, why in data["bad"].items()}
        return Damage(int(data["errors"]), bad, tuple(map(str, data["whole"])))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a list of damaged snapshots: {error!r}") from error


def dump(damage: Damage) -> str:
    return json.dumps(asdict(damage), indent=1, sort_keys=True) + "\n"


def read(folder: Path) -> Damage:
    """What is noted; nothing where there is no note. Raises ValueError, OSError."""
    try:
        return parse((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Damage()


def write(folder: Path, damage: Damage) -> None:
    """Replace the note; one that says nothing goes. Raises OSError."""
    if damage.bad or damage.whole or damage.errors:
        files.replace(folder / NAME, dump(damage))
    else:
        (folder / NAME).unlink(missing_ok=True)


def note(folder: Path, guid: str, why: str) -> None:
    """A restore could not read this one; nothing is known to be whole any more. Raises ValueError, OSError."""
    before = read(folder)
    write(folder, replace(before, bad={**before.bad, guid: why}, whole=()))


def by_node(lines: list[str]) -> dict[str, dict[str, str]]:
    """What SECTION printed: node -> guid -> why. Raises ValueError."""
    texts: dict[str, list[str]] = {}
    for line in lines:
        path, found, rest = line.removeprefix(f"{layout.LIVE}/").partition(f"/{NAME}:")
        if not found:
            raise ValueError(f"{line[:80]!r} is no line of a note")
        texts.setdefault(path, []).append(rest)
    return {node: dict(parse("\n".join(text)).bad) for node, text in texts.items()}


def look(
    chain: Sequence[Snapshot], whole: Collection[str], why: Callable[[Snapshot | None, Snapshot], str]
) -> tuple[dict[str, str], set[str]]:
    """(guid -> what is wrong, guids that are whole) of one replica's snapshots, oldest first.

    `whole`: known to be. `why(base, snapshot)` reads what came after `base`, which is whole (None: all of it): "" when
    it can be read. Only the newest is asked about; where it is damaged, the newest whole one is looked for by halves:
    damage mostly stays in every later snapshot. What is called whole was read whole: a block that is older than `base`
    and still there was there in `base`.
    """
    if not chain or chain[-1].guid in whole:
        return {}, set()
    low = max((at for at, each in enumerate(chain) if each.guid in whole), default=-1)
    high, bad, good = len(chain), dict[str, str](), set[str]()
    middle = high - 1
    while high - low > 1:
        if said := why(chain[low] if low >= 0 else None, chain[middle]):
            high = middle
            bad[chain[middle].guid] = said
        else:
            low = middle
            good.add(chain[middle].guid)
        middle = (low + high) // 2
    return bad, good


def base(chain: Sequence[Snapshot], snapshot: Snapshot, whole: Collection[str]) -> Snapshot | None:
    """The newest before `snapshot` that is known to be whole."""
    before = chain[: list(chain).index(snapshot)]
    return next((each for each in reversed(before) if each.guid in whole), None)


def stays(age: int, interval: int, need: int, free: int) -> str:
    """Why a damaged replica that the node's last replication, `age` seconds ago, still fed must stay; "" when it need
    not: only while the node surely lives. Otherwise this one, with its older snapshots, may be all there is.

    `need`, `free`: bytes, of a new replica and on the vault.
    """
    if not 0 <= age <= 3 * interval:
        return "the node has brought nothing new of it lately: this replica may be all there is"
    if need * 1.05 > free:
        return f"a new one needs {need * 1.05 / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free"
    return ""


def put_aside_as(replica: str, node: str, guid: str) -> str:
    """The name of a damaged replica once it made way: `.../replicas/NODE.damaged-GUID/DATASET`."""
    return replica.replace(f"/replicas/{node}/", f"/replicas/{node}.damaged-{guid}/", 1)
