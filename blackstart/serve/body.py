"""A request's body, with a limit to its size; protocol.py has one to the time that it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from blackstart.serve.refused import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


async def body(receive: Receive, length: bytes | None, limit: int) -> bytes:
    """`length`: the header Content-Length. Raises Refused; a body that says that it is too long is not read at all."""
    if length is not None and (not length.isdigit() or int(length) > limit):
        raise Refused(413, f"a body of at most {limit} bytes is taken here; send less")
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the connection ended before the body did; send it again")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise Refused(413, f"a body of at most {limit} bytes is taken here; send less")
        more = message.get("more_body", False)
    return b"".join(parts)
