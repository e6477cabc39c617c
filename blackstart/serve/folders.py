"""What the service knows, as files that anybody may read with cat and jq: live/<node>/now/ and live/now/index.json.

Each is replaced whole. They are not synced one by one: the log (wal.py) is, and brings them back after a power cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json  # json's own takes ten times as long with an indent

# Of a container or a unit. What has another name is in heartbeat.json alone: it leads to no path.
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:\\-]{0,127}")
# Of a container alone: its folder in services/ lies beside the files of services that speak for themselves.
_FOLDER = re.compile(r"(?!.*\.json$)" + _FILE.pattern)


def put(path: Path, content: str) -> None:
    """A reader sees the old file or the new one. One writer alone; what a kill leaves is the next one's to replace."""
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def pretty(document: Mapping[str, Any]) -> str:
    """As people read it."""
    return to_json(document, indent=1).decode() + "\n"


class Folders:
    """All nodes' folders below `live`. Every method raises OSError."""

    def __init__(self, live: Path) -> None:
        self._live = live
        self._running: dict[Path, dict[str, Any]] = {}  # what was written of containers, which seldom change

    def now(self, node: str) -> Path:
        return self._live / node / "now"

    def heartbeat(self, beat: Mapping[str, Any]) -> None:
        """heartbeat.json, and what it changes in containers/ and services/."""
        now = self.now(beat["node"])
        put(now / "heartbeat.json", pretty(beat))
        if beat["containers"] is None or self._running.get(now) == beat["containers"]:
            return
        for name in self._known(now) | set(beat["containers"]):
            if _FOLDER.fullmatch(name):
                self._container(now, beat, name)
        self._running[now] = beat["containers"]

    def service(self, beat: Mapping[str, Any]) -> None:
        """services/<service>.json: a service's own word."""
        folder = self.now(beat["node"]) / "services"
        folder.mkdir(exist_ok=True)
        put(folder / f"{beat['service']}.json", pretty(beat))

    def _known(self, now: Path) -> set[str]:
        (now / "containers").mkdir(exist_ok=True)
        (now / "services").mkdir(exist_ok=True)
        return {each.stem for each in (now / "containers").glob("[!.]*.json")}

    def _container(self, now: Path, beat: Mapping[str, Any], name: str) -> None:
        found = beat["containers"].get(name)
        units = sorted(found["services"]) if found else []
        whose = {"format": 1, "node": beat["node"], "container": name}
        state = whose | {"running": found is not None, "services": units}
        before = self._change(now / "containers" / f"{name}.json", state, beat["received"])
        folder = now / "services" / name
        if units:
            folder.mkdir(exist_ok=True)
        for unit in {*units, *before.get("services", ())}:
            if _FILE.fullmatch(unit):
                service = whose | {"service": unit, "running": unit in units}
                self._change(folder / f"{unit}.json", service, beat["received"])

    def _change(self, path: Path, state: dict[str, Any], received: float) -> dict[str, Any]:
        """Write what differs; `since`: when the vault first heard of it as it is. The state before; {}: none."""
        before = _read(path)
        old = {key: value for key, value in before.items() if key != "since"}
        if old != state:
            put(path, pretty(state | {"since": received}))
        return before


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    units = found.get("services", [])
    return found if isinstance(units, list) and all(isinstance(each, str) for each in units) else {}
