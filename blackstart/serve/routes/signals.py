"""Signals: given before something is done that may break things, closed afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import Field

from blackstart.serve.refused import Refused
from blackstart.signal import asked as words
from blackstart.signal import config
from blackstart.signal.asked import Asked, Outcome, Severity
from blackstart.signal.give import made
from blackstart.signal.model import Signal, as_data
from blackstart.signal.service import LONGEST, Service
from blackstart.spec.types import Model

SCOPES = ("operator", "signal")
PATIENCE = 7  # seconds for what is under way when the service ends, as many to undo it; a restart undoes the rest
_STATUS = {"unknown": 404, "conflict": 409, "unable": 503}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such scope or signal."},
    409: {"description": "Not as things stand; the sentence says why. Nothing was done."},
    503: {"description": "The vault or a node cannot; the sentence says which, and why. Nothing stays behind."},
}


class SignalAsked(Model):
    """What is about to happen, and to what."""

    scope: str = Field(pattern=f"^({words.SCOPE})$", max_length=64)
    """`container:NAME`, `node:NAME` or `fleet`"""
    severity: Severity
    """`may-break`: a snapshot; `will-break`: also quiet, what runs, and a copy on the vault"""
    reason: str = Field(min_length=1, max_length=500)
    """one line; people read it afterwards"""
    by: str = Field(default="", max_length=100)
    """who says so"""
    lifetime: int = Field(default=words.LIFETIME, ge=60, le=LONGEST, strict=True)
    """seconds until it ends by itself"""
    deadline: int = Field(default=words.DEADLINE, ge=1, le=600, strict=True)
    """seconds in which all nodes must be quiet and read"""
    without: bool = Field(default=False, strict=True)
    """go on without nodes that do not answer; the answer names them"""
    key: str = Field(default="", max_length=200)
    """the same signal sent twice with the same key is one"""


class SignalClosed(Model):
    """How it went."""

    outcome: Outcome


Token = Annotated[str, Field(description="of a signal", max_length=64)]


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """A service whose deploy has not said what it may signal does the rest of its work all the same."""
    state = app.state
    try:
        store, take = state.store, state.readings.take
        state.signals = made(store.now.parent, store.usable, state.events.add, take, Path(config.PATH))
        await state.signals.start()
    except (OSError, ValueError) as error:
        state.signals, state.no_signals = None, f"{config.PATH}: {getattr(error, 'strerror', None) or error}"
    try:
        yield
    finally:
        if state.signals:
            await state.signals.stop(PATIENCE)


router = APIRouter(tags=["signals"], lifespan=_running)


@router.post("/api/signals", status_code=201, responses={200: {"description": "It was given before."}, **_RESPONSES})
async def open_signal(said: SignalAsked, request: Request, response: Response) -> dict[str, Any]:
    """Snapshots are taken, held and written down, people are told; then comes the answer: the document `signal`."""
    try:
        asked = Asked(**said.model_dump())
    except ValueError as error:
        raise Refused(422, str(error)) from None
    token = request.state.token
    try:
        signal, new = await _service(request).open(asked, token.id, token.node)
    except (words.Refused, OSError) as error:
        _refuse(error)
    response.status_code = 201 if new else 200
    return as_data(signal)


@router.get("/api/signals", responses={503: _RESPONSES[503]})
async def signals(request: Request, state: Literal["open", "closed", "expired"] | None = None) -> dict[str, Any]:
    """Oldest first. An operator sees all of them, others their own."""
    found = (each for each in _service(request).book.all() if each.answered and _may_see(request, each))
    return {"format": 1, "signals": [as_data(each) for each in found if state in (None, each.state)]}


@router.get("/api/signals/{token}", responses={code: _RESPONSES[code] for code in (404, 503)})
async def one_signal(token: Token, request: Request) -> dict[str, Any]:
    """How it stands."""
    try:
        found = _service(request).book.get(token)
        if not _may_see(request, found):
            raise words.Refused("unknown", f"no signal of yours has the token {token!r}")
    except words.Refused as error:
        _refuse(error)
    return as_data(found)


@router.post("/api/signals/{token}/close", responses=_RESPONSES)
async def close_signal(token: Token, said: SignalClosed, request: Request) -> dict[str, Any]:
    """Its holds are let go, and people are told how it went."""
    who = request.state.token
    try:
        found = await _service(request).close(token, said.outcome, who.id, who.scope == "operator")
    except (words.Refused, OSError) as error:
        _refuse(error)
    return as_data(found)


def _service(request: Request) -> Service:
    found: Service | None = request.app.state.signals
    if found is None:
        why = request.app.state.no_signals
        raise Refused(503, f"this vault gives no signals: {why}; next: pyinfra inventory deploys/vault.py")
    return found


def _may_see(request: Request, signal: Signal) -> bool:
    token = request.state.token
    return bool(token.scope == "operator" or token.id == signal.who)


def _refuse(error: words.Refused | OSError) -> NoReturn:
    if isinstance(error, words.Refused):
        raise Refused(_STATUS[error.kind], str(error)) from None
    raise Refused(503, f"the signal could not be written down: {error.strerror or error}") from None
