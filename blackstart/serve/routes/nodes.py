"""GET /api/nodes: what is known of every node."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from blackstart.serve.refused import Refused
from blackstart.serve.store import Store

router = APIRouter(tags=["nodes"])


@router.get("/api/nodes")
async def nodes(request: Request) -> dict[str, Any]:
    """Every node: how it stands, and what its last heartbeat said in short. The document `index` (docs/json.md)."""
    store: Store = request.app.state.store
    return store.index()


@router.get("/api/nodes/{node}", responses={404: {"description": "The fleet has no such node."}})
async def node(node: str, request: Request) -> dict[str, Any]:
    """One node, with the whole of its last heartbeat (null: none ever came)."""
    store: Store = request.app.state.store
    entry: dict[str, Any] | None = store.index()["nodes"].get(node)
    if entry is None:
        raise Refused(404, "the fleet has no such node; see /api/nodes")
    known = store.fleet.known.get((node,))
    return {"format": 1, "node": node} | entry | {"heartbeat": known.beat if known else None}
