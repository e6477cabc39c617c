"""HTTP on one connection, for a service that the network reaches: uvicorn's own, with a limit to what comes before a
request is there at all, and to how long the other end may keep the service from ending. Uvicorn has neither.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from blackstart.serve.refused import Refused

PATIENCE = 10  # seconds for the head of a request, also of the first on a new connection
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
_NO_HTTP = _refusal(HTTPStatus.BAD_REQUEST, "what came is no request of HTTP/1.1; send one as curl does")


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head = 0  # bytes of a head that is not whole yet
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
        if self._deadline is None:
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
        self._wait()

    def on_headers_complete(self) -> None:
        self._arrived()
        super().on_headers_complete()

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
        self._arrived()
        self._deadline = self.loop.call_later(PATIENCE, self._late)

    def _arrived(self) -> None:
        self._head = 0
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        self.transport.abort()
