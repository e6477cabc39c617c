"""A whole reading of a node, as the node sent it: whose it is, whether it is the next one. Pure.

The text is what the reading script prints; the parser is the one that every look uses.
"""

from __future__ import annotations

import math
import re
from typing import Any

from blackstart.live.codec import live_to_json
from blackstart.live.frame import BEGIN
from blackstart.live.model import HostLive, Live
from blackstart.live.script import parse
from blackstart.reading import Present
from blackstart.serve.replay import Last

_BOOT = re.compile(r"[0-9a-f-]{36}")
MOST = 2**50  # of a load, an uptime or a clock, in seconds
LIMIT = 8 * 1024 * 1024  # bytes of a body


def understood(node: str, body: bytes) -> Live:
    """Raises ValueError with one clause: it is no reading, or not one of `node`."""
    text = body.decode("utf-8", "backslashreplace")
    if BEGIN not in text:
        raise ValueError("this is no reading")
    live = parse(text)
    said = {found for found in (_applied(live), _beats(live)) if found is not None}
    if said - {node}:
        raise ValueError(f"this reading is not of {node}")
    if not isinstance(live.host, Present):
        raise ValueError("this reading does not tell of its host")
    if not _sound(live.host.value):
        raise ValueError("this reading tells of no possible host: its boot id, clock, uptime or load")
    return live


def _sound(host: HostLive) -> bool:
    """What a later reading is compared with, and every reader of JSON takes."""
    numbers = (host.uptime, *host.load)
    return (
        _BOOT.fullmatch(host.boot_id) is not None
        and all(math.isfinite(each) and 0 <= each < MOST for each in numbers)
        and 0 <= host.clock < MOST
    )


def _applied(live: Live) -> Any:
    if isinstance(live.applied, Present) and isinstance(live.applied.value.get("spec"), dict):
        return live.applied.value["spec"].get("name")
    return None


def _beats(live: Live) -> Any:
    return live.heartbeat.value.get("node") if isinstance(live.heartbeat, Present) else None


def place(live: Live) -> Last:
    """Where it stands among the node's readings: its host's boot, and the time since then in hundredths of seconds."""
    assert isinstance(live.host, Present)
    host = live.host.value
    return Last(int(host.uptime * 100), host.boot_id, host.uptime, None)


def document(node: str, live: Live, received: float, last: Last) -> dict[str, Any]:
    """state.json: the reading (docs/reading.md), and who sent it when."""
    return {"node": node, "received": round(received, 3), "boots": list(last.boots)} | live_to_json(live)


def last_of(state: dict[str, Any]) -> Last | None:
    """`place` of a kept document, None where it does not say."""
    try:
        host = state["host"]["value"]
        return Last(int(host["uptime"] * 100), host["boot_id"], host["uptime"], None, tuple(state["boots"]))
    except (KeyError, TypeError, ValueError):
        return None
