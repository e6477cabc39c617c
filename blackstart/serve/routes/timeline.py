"""GET /api/timeline: the merged history of this vault."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from blackstart.blackbox.folders import NODE
from blackstart.process import ended
from blackstart.serve.refused import Refused

router = APIRouter(tags=["history"])
SECONDS = 60  # for an answer
_AT_ONCE = asyncio.Semaphore(2)
_COMMAND = (sys.executable, "-P", "-m", "blackstart.blackbox")
_SAID: dict[int | str, dict[str, Any]] = {
    404: {"description": "This vault never knew such a node."},
    503: {"description": "The history cannot be read now."},
}


@router.get("/api/timeline", responses=_SAID)
async def timeline(
    request: Request,
    node: Annotated[str, Query(pattern=f"^({NODE.pattern})?$")] = "",
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    most: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> dict[str, Any]:
    """What happened to `node`, or to all, at or after `since` (seconds since 1970): the newest `most`, oldest first.

    The document `timeline` (docs/json.md). A node that the fleet does not have any more is asked for by its name.
    """
    live = str(request.app.state.store.now.parent)
    return await _answer({"do": "timeline", "node": node, "since": since, "most": most, "live": live})


async def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """From a process of its own: logs of years are parsed there, and heartbeats are taken meanwhile. Raises Refused."""
    async with _AT_ONCE:
        try:
            done = await ended(*_COMMAND, json.dumps(request), seconds=SECONDS)
            document: dict[str, Any] = json.loads(done.out)
        except (TimeoutError, ValueError):
            raise Refused(503, f"the history was not read within {SECONDS} s, or not at all") from None
    if "why" in document:
        raise Refused(404 if document["code"] == 1 else 503, document["why"])
    return document
