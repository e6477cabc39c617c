"""1,000 nodes' live folders on a vault, made and measured there: `python3 -m blackstart.bench.live_world DATASET`.

As root, on a dataset that is thrown away with the lab; it is made beside nothing that counts. Prints JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from blackstart.bench.heartbeat import heartbeat
from blackstart.reading import Present
from blackstart.serve.config import Beat, Config
from blackstart.serve.folders import Folders
from blackstart.status.look import Look

NODES, CONTAINERS, SERVICES, RUNS = 1000, 5, 3, 5


def kept(node: str, sequence: int) -> dict[str, Any]:
    """As a vault keeps it."""
    services = [f"service{number}.service" for number in range(SERVICES)]
    sent = heartbeat(node, sequence, {f"{node}-c{number}": services for number in range(CONTAINERS)})
    return {"received": round(time.time(), 3), "boots": []} | sent


def beat(folders: Folders, names: list[str], sequence: int) -> None:
    """All of them at once."""
    for name in names:
        folders.heartbeat(kept(name, sequence))


def seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def zfs(*words: str) -> str:
    return subprocess.run(["zfs", *words], capture_output=True, text=True, check=True).stdout.strip()


def measured(live: Path, dataset: str, empty: str) -> dict[str, float]:
    """`live`: where `dataset` is mounted. Medians, in seconds and bytes."""
    names = [f"node{number}" for number in range(NODES)]
    for name in names:
        (live / name / "now").mkdir(parents=True)
        (live / name / "heartbeat.json").symlink_to("now/heartbeat.json")
    folders = Folders(live)
    written = seconds(lambda: beat(folders, names, 1))
    nodes = {name: Beat(60, 60, 60) for name in names}
    look = Look(Config("vault1", "backup", "127.0.0.1", 8440, nodes), live, lambda: Present({}), lambda: None)
    samples: dict[str, list[float]] = {"list": [], "cat": [], "snapshot": [], "empty": []}
    for sequence in range(2, RUNS + 2):
        beat(folders, names, sequence)
        samples["snapshot"].append(seconds(partial(zfs, "snapshot", f"{dataset}@{sequence}")))
        samples["empty"].append(seconds(partial(zfs, "snapshot", f"{empty}@{sequence}")))
        samples["list"].append(seconds(lambda: look.status(int(time.time()))))
        samples["cat"].append(seconds(lambda: [(live / name / "heartbeat.json").read_bytes() for name in names]))
    files = [path for path in live.rglob("*.json") if not path.is_symlink()]
    return {name: statistics.median(values) for name, values in samples.items()} | {
        "written": written,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "used": int(zfs("list", "-Hp", "-o", "refer", dataset)),
    }


def main() -> int:
    dataset = sys.argv[1]
    live, empty = Path("/run/bench-live"), f"{dataset}-empty"
    zfs("create", "-o", f"mountpoint={live}", dataset)
    zfs("create", "-o", "mountpoint=none", empty)
    print(json.dumps(measured(live, dataset, empty)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
