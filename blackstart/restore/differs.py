"""How two specs of one node differ, for people: a rebuild uses the recorded one, and shows the wishes since. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from blackstart.spec.resolve import NodeSpec
from blackstart.verdict import REACHED


def differences(recorded: NodeSpec, working: NodeSpec, most: int = 12) -> list[str]:
    """`node.host.packages: recorded [...], now [...]`, one line each; a last line counts what is left out."""
    lines = list(_walk("", _plain(recorded), _plain(working)))
    if len(lines) > most:
        lines[most:] = [f"and {len(lines) - most} more"]
    return lines


def _plain(spec: NodeSpec) -> Any:
    """Without what is taken from the working tree anyway (how hosts are reached), and without the vaults' own specs."""
    plain = spec.model_dump(mode="json", by_alias=True, exclude={"vaults"})
    for key in REACHED:
        plain["node"].pop(key, None)
    return plain


def _walk(path: str, recorded: Any, working: Any) -> Iterator[str]:
    if recorded == working:
        return
    if isinstance(recorded, dict) and isinstance(working, dict):
        for key in sorted({*recorded, *working}):
            if key not in working:
                yield f"{path}{key}: only in the recorded spec"
            elif key not in recorded:
                yield f"{path}{key}: only in the working tree"
            else:
                yield from _walk(f"{path}{key}.", recorded[key], working[key])
        return
    yield f"{path.rstrip('.')}: recorded {_short(recorded)}, now {_short(working)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
