"""Whose request it is, and whether that token may do this.

A program sends `Authorization: Bearer TOKEN`. A browser may read with HTTP basic, the token as its password: it sends
that along by itself, also with what another site makes it ask for, so it never counts for anything but reading.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from blackstart.serve.refused import Refused
from blackstart.serve.tokens import Tokens
from blackstart.vault.tokens import Token

_BEARER = HTTPBearer(
    auto_error=False, scheme_name="token", description="A browser may give it as the password of HTTP basic, to read."
)


def holder(tokens: Tokens, authorization: str, scopes: tuple[str, ...], browser: bool = False) -> Token:
    """Whose token the header carries. Raises Refused. `browser`: HTTP basic counts, too."""
    kind, _, word = authorization.partition(" ")
    if kind.lower() == "basic" and browser:
        word = _password(word)
    elif kind.lower() != "bearer":
        word = ""
    if not word:
        raise Refused(401, "this needs a token: Authorization: Bearer TOKEN")
    try:
        found = tokens.find(word.strip().encode("utf-8", "surrogateescape"))
    except (OSError, ValueError):
        raise Refused(
            503, "this vault cannot judge any token now: its list of tokens cannot be read; see /health"
        ) from None
    if found is None:
        raise Refused(
            401,
            "this token is not known here, or was revoked; next: blackstart token new NAME, "
            "of a node's own: blackstart apply NODE",
        )
    if found.scope not in scopes:
        raise Refused(403, f"a token of scope {found.scope} does not do; this needs one of {' or '.join(scopes)}")
    return found


def _password(word: str) -> str:
    try:
        return base64.b64decode(word, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def require(*scopes: str) -> Callable[..., Awaitable[None]]:
    """A dependency of routes: `request.state.token` is the one behind the request."""

    async def found(request: Request, described: Annotated[object, Depends(_BEARER)]) -> None:
        browser = request.method in ("GET", "HEAD")
        authorization = request.headers.get("authorization", "")
        request.state.token = holder(request.app.state.tokens, authorization, scopes, browser)

    return found
