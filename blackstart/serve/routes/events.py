"""GET /api/events: what happens, as it happens (server-sent events). Whoever was away gets what they missed first."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from blackstart.serve.events import Event
from blackstart.serve.refused import Refused
from blackstart.vault.tokens import Token

router = APIRouter(tags=["history"])
SCOPES = ("operator", "signal", "heartbeat", "service")
STREAMS = 32  # of one token at once: what a listener does not read waits in memory
IDLE = 15.0  # seconds without an event after which a comment is sent: what is between must not think us gone

_STREAM = {"description": "One document `events` (docs/json.md) in each `data:`.", "content": {"text/event-stream": {}}}


_SAID: dict[int | str, dict[str, Any]] = {200: _STREAM, 429: {"description": f"This token has {STREAMS} streams."}}


@router.get("/api/events", response_class=StreamingResponse, responses=_SAID)
async def follow(
    request: Request, last_event_id: Annotated[str, Header(max_length=20, pattern=r"^\d*$")] = ""
) -> StreamingResponse:
    """Follow it. With `Last-Event-ID` what came after that one is sent first, 10,000 at most; else what comes from now.

    The token of an operator, or for signals, hears all; that of a node or a service what is of its node or of all.
    """
    events, open_, token = request.app.state.events, request.app.state.streams, request.state.token
    if open_[token.id] >= STREAMS:
        raise Refused(429, f"token {token.id} follows {STREAMS} times already; end one of these")
    after = int(last_event_id) if last_event_id else events.last
    stands = partial(request.app.state.tokens.stands, token)
    stream = _stream(events.follow(after, IDLE), token, open_, stands)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(
    followed: AsyncIterator[Event | None], token: Token, open_: Counter[str], stands: Callable[[], bool]
) -> AsyncIterator[str]:
    open_[token.id] += 1
    try:
        yield "retry: 3000\n\n"  # milliseconds
        async for event in followed:
            if not stands():
                return  # revoked meanwhile
            if event is None:
                yield ": nothing new\n\n"
            elif hears(token, event):
                # Of no type of its own: a browser hands it to whoever listens for messages.
                yield f"id: {event.id}\ndata: {event.line()}\n\n"
    finally:
        open_[token.id] -= 1


def hears(token: Token, event: Event) -> bool:
    """Whether this event is for the holder of that token."""
    return token.scope in ("operator", "signal") or event.node in ("", token.node)
