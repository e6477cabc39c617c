"""GET /health: for whoever asks whether the service is well. No token: it says nothing of the fleet."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from blackstart.serve.health import health

router = APIRouter(tags=["service"])
SCOPES = ()


_ILL = {"description": "The same document: something is wrong, `why` says what.", "content": {"application/json": {}}}


@router.get("/health", responses={503: _ILL})
async def look(request: Request) -> JSONResponse:
    """The document `health` (docs/json.md)."""
    state = request.app.state
    found = health(state.store, state.tokens, state.started)
    return JSONResponse(found, 200 if found["status"] == "ok" else 503)
