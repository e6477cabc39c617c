"""What 1,000 nodes' live folders cost a vault: time to list, size on disk, time of a snapshot."""

from __future__ import annotations

import json

from blackstart.bench.live_world import NODES, RUNS
from blackstart.bench.row import Row
from blackstart.change import shell
from blackstart.lab import Machine
from blackstart.vault import layout

DATASET = "backup/bench-live"  # of the vault; the lab is thrown away afterwards


def rows(vault: Machine) -> list[Row]:
    """Measured on the vault, by the tool that it runs."""
    program = shell("python3", "-m", "blackstart.bench.live_world", DATASET)
    return parse(vault.sudo(f"PYTHONPATH={shell(layout.TOOL + '/current')} {program}", timeout=900).stdout)


def parse(said: str) -> list[Row]:
    """Rows out of what the program printed. Each heartbeat was written anew before each snapshot and each listing."""
    found = json.loads(said)
    what = f"live folders of {NODES:,} nodes"
    files = f"bytes in their {found['files']:,} files"
    return [
        Row(f"{what}: status of all", "every heartbeat.json read, not parsed", found["list"], found["cat"], RUNS),
        Row(f"{what}: size on disk", files, found["used"], found["bytes"], 1, "B"),
        Row(f"{what}: snapshot", "snapshot of an empty dataset", found["snapshot"], found["empty"], RUNS),
    ]
