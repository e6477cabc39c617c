"""A request that is not answered as it wished: a status of HTTP, and one sentence for who reads the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

# Alone: Chromium takes one challenge a line, and asks nobody for a password where another one stands before Basic. A
# program knows from /docs that its token goes as Bearer.
CHALLENGE = 'Basic realm="blackstart", charset="UTF-8"'


class Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail

    @property
    def headers(self) -> dict[str, str]:
        """What belongs to the status."""
        more = {401: {"WWW-Authenticate": CHALLENGE}, 413: {"Connection": "close"}, 503: {"Retry-After": "5"}}
        return more.get(self.status, {})

    @property
    def document(self) -> dict[str, Any]:
        """As FastAPI words its own errors."""
        return {"detail": self.detail}


def raw(status: int, document: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """The messages of ASGI that answer with this."""
    body = b"" if document is None else json.dumps(document).encode()
    own = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")] if body else []
    listed = [*own, *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    yield {"type": "http.response.start", "status": status, "headers": listed}
    yield {"type": "http.response.body", "body": body}
