"""POST /api/readings: a whole reading of a node, as its reading script printed it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from blackstart.serve.body import body
from blackstart.serve.reading import LIMIT
from blackstart.serve.refused import Refused

router = APIRouter(tags=["nodes"])
SCOPES = ("heartbeat",)

_TEXT = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}
_SAID = {
    409: "It was sent before, or is older than what was taken last.",
    413: "More than 8 MiB.",
    422: "This is no reading of the token's node.",
    503: "The vault cannot keep it now.",
}
_RESPONSES: dict[int | str, dict[str, Any]] = {code: {"description": said} for code, said in _SAID.items()}


@router.post("/api/readings", status_code=204, openapi_extra=_TEXT, responses=_RESPONSES)
async def take(request: Request) -> Response:
    """Kept as the node's `state.json`, then judged as `blackstart drift` would, into `drift.json`."""
    state, token = request.app.state, request.state.token
    if token.node not in state.store.fleet.nodes:
        raise Refused(403, f"node {token.node} is not of this vault's fleet; next: pyinfra inventory deploys/vault.py")
    async with state.readings.room():
        length = request.headers.get("content-length")
        said = await body(request.receive, None if length is None else length.encode(), LIMIT)
        await state.readings.take(token.node, said)
    return Response(status_code=204)
