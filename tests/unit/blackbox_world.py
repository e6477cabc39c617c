"""A vault's folder of live state in a folder of a test, and snapshots of it as ZFS shows them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from blackstart.serve.events import Events
from blackstart.vault import layout

NOON = 1763812800  # 2025-11-22T12:00:00Z


class Live:
    """`root` is what a vault has at /srv/blackstart/live."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "live"
        (self.root / "now" / "signals").mkdir(parents=True)
        self.clock = NOON
        self.events = Events(self.root / "now" / "events.jsonl", clock=lambda: self.clock)

    def node(self, name: str, **files: Any) -> None:
        """`files`: heartbeat and state go to where the service writes them, the rest beside."""
        (self.root / name / "now" / "containers").mkdir(parents=True, exist_ok=True)
        (self.root / name / "now" / "services" / "crm").mkdir(parents=True, exist_ok=True)
        for key, content in files.items():
            now = "now/" if key in ("heartbeat", "state", "drift") else ""
            (self.root / name / f"{now}{key}.json").write_text(json.dumps(content))

    def heartbeat(self, node: str, **more: Any) -> None:
        beat = {
            "format": 1,
            "node": node,
            "sequence": 1,
            "received": self.clock,
            "boot_id": "b" * 36,
            "uptime": 90000.0,
        }
        beat |= {
            "load": [0.1, 0.2, 0.3],
            "pools": {"tank": "ONLINE"},
            "containers": {"crm": {"services": ["crm.service"]}},
        }
        self.node(node, heartbeat=beat | more)

    def journal(self, node: str, *lines: dict[str, Any]) -> None:
        self.node(node)
        with (self.root / node / "journal.jsonl").open("a") as file:
            file.writelines(json.dumps({"format": 1, "at": self.clock} | line) + "\n" for line in lines)

    def announced(self, vault: str, **event: Any) -> None:
        (self.root / vault / "drift").mkdir(parents=True, exist_ok=True)
        with (self.root / vault / "drift" / "events.jsonl").open("a") as file:
            file.write(json.dumps({"format": 1, "at": self.clock, "since": self.clock, "why": ""} | event) + "\n")

    def snapshot(self, name: str = "") -> str:
        name = name or layout.snapshot_name(self.clock, layout.MOMENT_PREFIX)
        whole = shutil.ignore_patterns(".zfs")
        shutil.copytree(self.root, self.root / ".zfs" / "snapshot" / name, symlinks=True, ignore=whole)
        return name


APPLIED = {"event": "applied", "epoch": 2, "by": "ops@laptop", "commit": "a" * 40, "spec": "sha256:1"}
ARRIVED = {
    "event": "replicated",
    "reason": "interval",
    "node": "node1",
    "dataset": "tank/a",
    "snapshot": "s",
    "guid": "7",
}
FINDING = {
    **{"kind": "drift", "node": "node1", "resource": "file", "name": "/etc/x", "field": "", "spec": "a", "live": "b"},
    **{"cause": "", "reason": "", "remedy": "", "waiver": ""},
}
