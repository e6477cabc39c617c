"""What the gate on a node answers, and what is made of it. Pure; the gate is templates/vault/replicate-gate.j2."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blackstart.vault import layout
from blackstart.vault.zfs import Snapshot, parse_snapshot

_GONE = re.compile(r"cannot open '([^']+)': dataset does not exist$")


@dataclass(frozen=True, slots=True)
class Source:
    """The node's side. `datasets`: name -> encrypted. `failed`: why no snapshot was taken, "" when it was."""

    datasets: dict[str, bool]
    missing: tuple[str, ...]
    snapshots: tuple[Snapshot, ...]  # and bookmarks
    failed: str


def parse_begin(text: str, asked: tuple[str, ...]) -> Source:
    """The gate's answer to `begin`. Raises ValueError when it was cut off or says what it cannot mean."""
    lines = text.splitlines()
    if not lines or not lines[-1].startswith("= "):
        raise ValueError("the node's answer was cut off")
    datasets: dict[str, bool] = {}
    missing: list[str] = []
    said: list[str] = []
    for line in (line[2:] for line in lines if line.startswith("D ")):
        name, tab, encryption = line.partition("\t")
        gone = _GONE.search(line)
        if tab:
            datasets[name] = encryption not in ("off", "-")
        elif gone:
            missing.append(gone[1])
        elif line:
            said.append(line)
    if set(datasets) | set(missing) != set(asked):
        raise ValueError("; ".join(said) or "the node did not name every dataset")
    failed = "; ".join(line[2:] for line in lines if line.startswith("T "))
    if lines[-1] != "= 0" and not failed:
        failed = "the snapshot failed"
    found = tuple(parse_snapshot(line[2:]) for line in lines if line.startswith("S "))
    return Source(datasets, tuple(missing), found, failed)


def aim(source: Source, begun: str) -> str:
    """The snapshot that has to arrive: the one that was `begun`; where it was not taken, the newest of ours.

    A signal may have left a newer one in between, of one container alone.
    """
    ours = [each.name for each in source.snapshots if not each.bookmark and layout.snapshot_time(each.name)]
    return begun if begun in ours else max(ours, default="")


def obstacle(source: list[Snapshot], target: list[Snapshot], exists: bool, resumable: bool) -> str:
    """Why nothing may be received into a target: "" when it is new, goes on, or shares its newest snapshot by guid.

    bzfs would refuse the same (it is given no --force), after it has sent others; here it is said first, and plainly.
    """
    if not exists or resumable:
        return ""
    if not target:
        return "it exists without a snapshot: it is not a replica"
    guids = {snapshot.guid for snapshot in source}
    if target[-1].guid in guids:
        return ""
    if any(snapshot.guid in guids for snapshot in target):
        return f"its newest snapshot {target[-1].name} (guid {target[-1].guid}) is not on the node any more"
    return "it shares no snapshot with the node's dataset"


def finish_lines(arrived: list[Snapshot], held: dict[str, list[Snapshot]]) -> str:
    """stdin of `finish`. `arrived`: the node's snapshots to bookmark; `held`: its dataset -> what the vault has."""
    lines = [f"bookmark {snapshot}" for snapshot in arrived]
    for dataset, snapshots in sorted(held.items()):
        lines += [f"confirmed {dataset} {snapshot.guid}" for snapshot in snapshots]
    return "".join(f"{line}\n" for line in [*lines, "end"])
