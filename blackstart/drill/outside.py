"""Proofs from outside: plain zfs, sha256sum, stat and HTTP on the machines; no line of the code under test.

Everything here would read the same on a host that blackstart never touched.
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass

from blackstart.drill.journal import DrillError
from blackstart.drill.machines import Machine


@dataclass(frozen=True)
class Witness:
    """What a snapshot held before the loss: its guid, and `sha256  path` of every file in it."""

    dataset: str
    snapshot: str
    guid: str
    sums: str


def replicas(vault: Machine, root: str) -> dict[str, list[tuple[str, str]]]:
    """(snapshot, guid) of every replica below `root` on the vault, oldest first, by the node's dataset name."""
    listed = vault.sudo(f"zfs list -Hp -r -t snapshot -o name,guid -s createtxg {root}").stdout
    found: dict[str, list[tuple[str, str]]] = {}
    for line in listed.splitlines():
        name, guid = line.split("\t")
        dataset, _, snapshot = name.removeprefix(root + "/").partition("@")
        found.setdefault(dataset, []).append((snapshot, guid))
    return found


def mountpoint(node: Machine, dataset: str) -> str:
    """Where the dataset is mounted now. Raises DrillError when it is not."""
    mounted, where = node.sudo(f"zfs get -Hp -o value mounted,mountpoint {dataset}").stdout.split("\n")[:2]
    if mounted != "yes":
        raise DrillError(f"{dataset} is not mounted on {node.name}")
    return where


def checksums(node: Machine, folder: str) -> str:
    """Every file below `folder` with its sha256, and every entry's type, mode and owner, sorted."""
    return node.sudo(
        f"cd {folder} && LC_ALL=C find . -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum &&"
        f" LC_ALL=C find . -xdev -printf '%y %m %U %G %p\\n' | LC_ALL=C sort",
        timeout=300,
    ).stdout


def witness(node: Machine, dataset: str, snapshot: str, guid: str) -> Witness:
    """Read `dataset@snapshot` on the living node through .zfs."""
    folder = f"{mountpoint(node, dataset)}/.zfs/snapshot/{snapshot}"
    here = node.sudo(f"zfs get -Hp -o value guid {dataset}@{snapshot}").stdout.strip()
    if here != guid:
        raise DrillError(f"{dataset}@{snapshot}: guid {here} on the node, {guid} on the vault")
    return Witness(dataset, snapshot, guid, checksums(node, folder))


def compare(node: Machine, before: Witness) -> int:
    """The rebuilt node holds the very snapshot, with the very files. Returns how many files were compared."""
    after = witness(node, before.dataset, before.snapshot, before.guid)
    if after.sums != before.sums:
        changed = set(before.sums.splitlines()) ^ set(after.sums.splitlines())
        raise DrillError(f"{before.dataset}@{before.snapshot} differs: {sorted(changed)[:3]}")
    return sum(1 for line in after.sums.splitlines() if line[64:66] == "  ")


def get_json(base: str, path: str, timeout: float = 2.0) -> object | None:
    """GET from a machine's web service; None while nothing answers as it should."""
    try:
        return _json(base, path, timeout)
    except (OSError, ValueError):
        return None


def rows(base: str, within: float = 30.0) -> list[dict[str, object]]:
    """The first rows of the service `notes`. Raises DrillError with the reason when it tells none for `within` s."""
    began = time.monotonic()
    while True:
        try:
            found = _json(base, "/notes?since=0", 10)
            if isinstance(found, list):
                return found
            why = f"it answered {str(found)[:200]}"
        except (OSError, ValueError) as error:
            why = str(error)
        if time.monotonic() - began > within:
            raise DrillError(f"the service did not tell its rows within {within:.0f} s: {why}")
        time.sleep(1)


def lost(before: list[dict[str, object]], now: list[dict[str, object]]) -> str:
    """What is missing of the rows that were there before, one sentence; "" where nothing is."""
    both = list(zip(before, now, strict=False))
    same = next((at for at, (old, new) in enumerate(both) if old != new), len(both))
    if same == len(before):
        return ""
    instead = f"there is {now[same]} instead of {before[same]}" if same < len(now) else "nothing comes after them"
    return f"of {len(before)} rows from before the snapshot the first {same} are there; {instead}"


def _json(base: str, path: str, timeout: float) -> object:
    """Raises OSError (no answer, or one of 400 and above), ValueError (no JSON)."""
    with urllib.request.urlopen(f"{base}{path}", timeout=timeout) as answer:
        found: object = json.load(answer)
        return found


def id_maps(node: Machine, container: str) -> None:
    """The container's init runs as an unprivileged user of the host, as LXC itself and /proc tell it."""
    pid = node.sudo(f"lxc-info -n {container} -pH").stdout.strip()
    uid = node.sudo(f"stat -c %u /proc/{pid}").stdout.strip()
    if int(uid) < 65536:
        raise DrillError(f"{container}: its init runs as uid {uid} of the host, which is not mapped")


def heartbeat_age(node: Machine, path: str) -> float:
    """Seconds since cron's script last wrote the heartbeat, by the node's own clock."""
    return float(node.sudo(f'echo "$(( $(date +%s) - $(stat -c %Y {path}) ))"').stdout)
