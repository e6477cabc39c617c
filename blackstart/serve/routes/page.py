"""How the fleet is: for people at `/`, for programs at `/api/status`."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from blackstart.serve.refused import Refused
from blackstart.serve.store import Store
from blackstart.status import page
from blackstart.status.holds import Kept, held
from blackstart.status.look import Look, Recent
from blackstart.status.model import Status, document
from blackstart.vault import layout

router = APIRouter()


# Plain functions: they run in a thread, and the event loop goes on taking heartbeats.
@router.get("/", include_in_schema=False)
def status_page(request: Request) -> Response:
    """The page."""
    body = page.html(_seen(request)).encode()
    headers = page.headers() | {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
    return Response(body, headers=headers, media_type="text/html; charset=utf-8")


@router.get("/api/status", responses={503: {"description": "The vault's live state is not there."}})
def status(request: Request) -> dict[str, Any]:
    """How the fleet is, as this vault sees it: the document `status`."""
    return document(_seen(request))


def _seen(request: Request) -> Status:
    state = request.app.state
    if not hasattr(state, "recent"):
        store: Store = state.store
        replicas = Kept(lambda: held(Path(layout.REPLICATION)))
        state.recent = Recent(Look(store.config, store.now.parent, replicas, store.readable))
    recent: Recent = state.recent
    try:
        return recent()
    except OSError as error:
        raise Refused(503, str(error)) from None
