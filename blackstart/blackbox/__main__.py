"""`python3 -m blackstart.blackbox REQUEST`: the black box of this vault, as JSON; the controller runs it over ssh.

REQUEST is JSON: {"do": "timeline", "node", "since", "most"}, {"do": "state", "node", "at"} or {"do": "change", "node",
"begin", "end"}; with "live" for another folder than this vault's own. The answer is a document, or {"why", "code"}.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blackstart.blackbox import folders
from blackstart.blackbox.state import change, state
from blackstart.blackbox.timeline import timeline
from blackstart.vault import layout
from blackstart.vault.store import mounted


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The document. Raises OSError, ValueError with one sentence."""
    live, node, now = Path(request.get("live") or layout.LIVE), request["node"], int(time.time())
    if node and not folders.NODE.fullmatch(node):
        raise ValueError(f"{node!r} is not a node's name")
    if str(live) == layout.LIVE:
        mounted()
    if request["do"] == "state":
        return state(live, node, request["at"], now)
    if request["do"] == "change":
        return change(live, node, request["begin"], request["end"], now)
    history = timeline(live, node, request["since"], request["most"])
    return {"format": 1, **asdict(history)}


def told(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same, or {"why": sentence, "code": 1 there is no such thing, 3 it could not be read}."""
    try:
        return answer(request)
    except ValueError as error:
        return {"why": str(error), "code": 1}
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return {"why": f"{where}{error.strerror or error}", "code": 3}


if __name__ == "__main__":
    print(json.dumps(told(json.loads(sys.argv[1]))))
