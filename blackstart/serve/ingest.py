"""POST /api/heartbeats: whose it is, what it says, whether it is the next one; then on the disk, then the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from blackstart.serve.access import holder
from blackstart.serve.body import Message, Receive, body
from blackstart.serve.heartbeat import LIMIT, Heartbeat, ServiceBeat, parse
from blackstart.serve.invalid import unanswered
from blackstart.serve.refused import Refused, raw
from blackstart.serve.store import Store
from blackstart.serve.tokens import Tokens

PATH = "/api/heartbeats"
_TAKEN = tuple(raw(204, None, {}))

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first of that name."""
    return next((value for each, value in headers if each == name), None)


async def take(store: Store, tokens: Tokens, headers: list[tuple[bytes, bytes]], receive: Receive) -> None:
    """Durable when this returns. Raises Refused."""
    authorization = (header(headers, b"authorization") or b"").decode("latin-1")
    token = holder(tokens, authorization, ("heartbeat", "service"))
    said = await body(receive, header(headers, b"content-length"), LIMIT)
    beat: Heartbeat | ServiceBeat
    try:
        beat = parse(ServiceBeat, said) if token.scope == "service" else parse(Heartbeat, said)
    except ValueError as error:
        raise Refused(422, f"this is no heartbeat: {error}; see /docs") from None
    if beat.node != token.node or (isinstance(beat, ServiceBeat) and beat.service != token.service):
        raise Refused(403, f"token {token.id} does not speak for this node or service; send each with its own")
    if beat.node not in store.fleet.nodes:
        raise Refused(403, f"node {beat.node} is not of this vault's fleet; next: pyinfra inventory deploys/vault.py")
    await store.heartbeat(beat)


def quick(app: App, store: Store, tokens: Tokens) -> App:
    """`app` with heartbeats answered before all that makes a web framework convenient: they are most of what comes."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await app(scope, receive, send)
            return
        if scope["method"] == "POST":
            messages = await _answered(store, tokens, scope, receive)
        else:
            refused = Refused(405, unanswered(405, scope["method"], PATH, ""))
            messages = raw(refused.status, refused.document, {"Allow": "POST"})
        for message in messages:
            await send(message)

    return answer


async def _answered(store: Store, tokens: Tokens, scope: Message, receive: Receive) -> Iterable[Message]:
    try:
        await take(store, tokens, scope["headers"], receive)
    except Refused as refused:
        store.counts[f"refused_{refused.status}"] += 1
        return raw(refused.status, refused.document, refused.headers)
    store.counts["accepted"] += 1
    return _TAKEN
