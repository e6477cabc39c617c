"""No request makes the service keep more of it in memory than a small body, whatever a route does with it.

A framework reads a body before it asks whose it is. What takes larger ones reads them itself, when it knows that.
"""

from __future__ import annotations

from blackstart.serve.body import Message, Receive, body
from blackstart.serve.ingest import App, Send, header
from blackstart.serve.refused import Refused, raw

LIMIT = 64 * 1024  # bytes
LARGER = ("/api/readings",)


def bounded(app: App) -> App:
    """`app` with bodies that are there, and short, before it is asked."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in LARGER:
            await app(scope, receive, send)
            return
        try:
            said = await body(receive, header(scope["headers"], b"content-length"), LIMIT)
        except Refused as refused:
            for message in raw(refused.status, refused.document, refused.headers):
                await send(message)
            return
        await app(scope, _again(said, receive), send)

    return answer


def _again(said: bytes, receive: Receive) -> Receive:
    """The body once, then whatever comes: that the client went away."""
    waiting = [said]

    async def next_() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return next_
