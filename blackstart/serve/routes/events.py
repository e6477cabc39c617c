"""GET /api/events: what happens, as it happens (server-sent events). Whoever was away gets what they missed first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from blackstart.serve.events import Event
from blackstart.vault.tokens import Token

router = APIRouter(tags=["history"])
SCOPES = ("operator", "signal", "heartbeat", "service")
IDLE = 15.0  # seconds without an event after which a comment is sent: what is between must not think us gone

_STREAM = {"description": "One document `events` (docs/json.md) in each `data:`.", "content": {"text/event-stream": {}}}


@router.get("/api/events", response_class=StreamingResponse, responses={200: _STREAM})
async def follow(
    request: Request, last_event_id: Annotated[str, Header(max_length=20, pattern=r"^\d*$")] = ""
) -> StreamingResponse:
    """Follow it. With `Last-Event-ID` what came after that one is sent first, 10,000 at most; else what comes from now.

    The token of an operator, or for signals, hears all; that of a node or a service what is of its node or of all.
    """
    events = request.app.state.events
    after = int(last_event_id) if last_event_id else events.last
    stream = _stream(events.follow(after, IDLE), request.state.token)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(followed: AsyncIterator[Event | None], token: Token) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"  # milliseconds
    async for event in followed:
        if event is None:
            yield ": nothing new\n\n"
        elif hears(token, event):
            # Of no type of its own: a browser hands it to whoever listens for messages.
            yield f"id: {event.id}\ndata: {event.line()}\n\n"


def hears(token: Token, event: Event) -> bool:
    """Whether this event is for the holder of that token."""
    return token.scope in ("operator", "signal") or event.node in ("", token.node)
