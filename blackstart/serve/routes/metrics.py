"""GET /metrics: for Prometheus, which sends an operator's token (`authorization` in its configuration)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from blackstart.serve.health import metrics

router = APIRouter(tags=["service"])


@router.get("/metrics", response_class=PlainTextResponse)
async def numbers(request: Request) -> PlainTextResponse:
    """The text format of Prometheus."""
    state = request.app.state
    return PlainTextResponse(metrics(state.store, state.tokens, state.started), media_type="text/plain; version=0.0.4")
