"""The service as an ASGI application. Its topics are modules in routes/, which are found there."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from blackstart import __version__
from blackstart.announce.announcer import Announcer
from blackstart.serve import invalid, routes
from blackstart.serve.access import require
from blackstart.serve.bounded import bounded
from blackstart.serve.described import Described
from blackstart.serve.fleet import ticks
from blackstart.serve.ingest import App, quick
from blackstart.serve.judging import Judging
from blackstart.serve.readings import Readings
from blackstart.serve.refused import Refused
from blackstart.serve.store import Store
from blackstart.serve.thin import thinning
from blackstart.serve.tokens import Tokens
from blackstart.serve.watch import Watch

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make(store: Store, tokens: Tokens, judging: Judging, announcer: Announcer) -> App:
    """The whole service. `app.state` has config, tokens, store, events, streams, readings for the routes."""
    app = Described(
        title="blackstart",
        version=__version__,
        description="Heartbeats, live state, signals and the history of a fleet.",
        lifespan=_running(store, judging, announcer),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.config, app.state.tokens, app.state.store = store.config, tokens, store
    app.state.started = ticks()
    app.state.events, app.state.readings = store.events, Readings(store, judging)
    app.state.streams = Counter[str]()  # token -> how many of /api/events are open
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unanswered)
    for module in pkgutil.iter_modules(routes.__path__):
        topic = importlib.import_module(f"{routes.__name__}.{module.name}")
        scopes = getattr(topic, "SCOPES", ("operator",))
        app.include_router(topic.router, dependencies=[Depends(require(*scopes))] if scopes else [])
    return quick(bounded(app), store, tokens)


async def _refused(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, Refused)
    return JSONResponse(refused.document, refused.status, refused.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return await _refused(request, Refused(422, invalid.sentence(error.errors())))


async def _unanswered(request: Request, error: Exception) -> JSONResponse:
    """The framework's own: no such path, no such method."""
    assert isinstance(error, HTTPException)
    said = invalid.unanswered(error.status_code, request.method, request.scope["path"], error.detail)
    refused = Refused(error.status_code, said)
    return JSONResponse(refused.document, refused.status, refused.headers | dict(error.headers or {}))


def _running(store: Store, judging: Judging, announcer: Announcer) -> Lifespan:
    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        store.start()
        watch = Watch(store)
        watch.start()
        judging.start()
        telling = asyncio.create_task(announcer.run())
        thinned = asyncio.create_task(thinning(store.events, announcer.untold, store.usable))
        try:
            yield
        finally:
            telling.cancel()
            thinned.cancel()
            await asyncio.gather(telling, thinned, return_exceptions=True)
            await judging.stop()
            await watch.stop()
            store.stop()

    return running
