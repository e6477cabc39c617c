"""HTTP on one connection, for a service that the network reaches: uvicorn's own, with a limit to what comes before a
request is there at all, to the time until it is there whole, and to how long the other end may keep the service from
ending. Uvicorn has none of them.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from blackstart.serve.refused import Refused

PATIENCE = 10  # seconds for the head of a request, also of the first on a new connection
BODY = 20  # seconds for the rest of one that is not whole by then
HEAD = 64 * 1024  # bytes of its address and headers
LEAVE = 1  # seconds that the other end has for its part, once the service ends


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    """The last answer on a connection, in the shape of all others."""
    body = json.dumps(Refused(status, detail).document)
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return f"HTTP/1.1 {status:d} {status.phrase}\r\n{head}\r\n\r\n{body}".encode()


_TOO_LARGE = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"an address with its headers has at most {HEAD} bytes here; send shorter ones",
)
_TOO_SLOW = _refusal(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {BODY} s; send it again")
_NO_HTTP = _refusal(HTTPStatus.BAD_REQUEST, "what came is no request of HTTP/1.1; send one as curl does")


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head: int | None = 0  # bytes of a head that is not whole yet; None: it is
    _partial = False  # whether a request is there in part
    _deadline: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))  # a server's always is; uvicorn says so in its type
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        if self._leaving:
            self._leaving.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._partial and self._deadline is None:  # most are whole at once: no timer for those
            self._wait()
        if self._head is None:
            return
        self._head += len(data)
        if self._head > HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_NO_HTTP)
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arrived()
        self._head, self._partial = 0, True

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._partial = False
        self._arrived()
        super().on_message_complete()

    def shutdown(self) -> None:
        """The service ends: what is being answered is answered, and nobody is waited for who does not take it."""
        super().shutdown()
        self._leaving = self.loop.call_later(LEAVE, self._leave)

    def _leave(self) -> None:
        cycle = self.cycle
        ours = cycle is not None and not (cycle.more_body or cycle.response_complete or self.flow.write_paused)
        if ours:  # its answer is under way
            self._leaving = self.loop.call_later(LEAVE, self._leave)
        else:
            self.transport.abort()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(PATIENCE, self._late)

    def _arrived(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._head is None:
            self._deadline = self.loop.call_later(BODY, self._too_slow)
        else:
            self.transport.abort()

    def _too_slow(self) -> None:
        self._deadline = None
        if self.pipeline:  # nothing was read of it meanwhile: one before it is being answered
            self._deadline = self.loop.call_later(BODY, self._too_slow)
        elif self.cycle is not None and not self.cycle.response_started:
            self.transport.write(_TOO_SLOW)
            self.transport.close()
        else:
            self.transport.abort()
