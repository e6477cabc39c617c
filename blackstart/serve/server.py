"""The process: one at a time on a vault, with the vault's certificate, until SIGTERM."""

from __future__ import annotations

import gc
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from blackstart.announce.announcer import Announcer
from blackstart.serve import config as configuration
from blackstart.serve import judging
from blackstart.serve.app import make
from blackstart.serve.config import Config
from blackstart.serve.events import Events
from blackstart.serve.ingest import App
from blackstart.serve.protocol import Protocol
from blackstart.serve.store import Store
from blackstart.serve.tokens import Tokens
from blackstart.vault import layout
from blackstart.vault.alone import Busy, alone
from blackstart.vault.store import writable

CONNECTIONS = 4096  # at once; what comes on top is answered with 503
GRACE = 10  # seconds for requests under way after SIGTERM
SELDOM = 20_000  # objects made, beyond those that went, until the collector looks for what holds itself


class ServeError(Exception):
    """Why the service does not run, with the next command."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies. Other values than these are for tests. `certificate` None: without TLS."""

    live: Path = Path(layout.LIVE)
    config: Path = Path(layout.SERVE_CONFIG)
    tokens: Path = Path(layout.TOKENS)
    certificate: Path | None = Path(layout.CERTIFICATE)
    key: Path = Path(layout.CERTIFICATE_KEY)
    usable: Callable[[], None] = writable
    judge: tuple[str, ...] = judging.command()
    announced: Path = Path(layout.ANNOUNCE)


def run(place: Place) -> None:
    """Serve until SIGTERM. Raises ServeError."""
    try:
        found = configuration.read(place.config)
    except FileNotFoundError:
        raise ServeError(f"{place.config} is not there; {configuration.DEPLOY}") from None
    except ValueError as error:
        raise ServeError(str(error)) from None
    try:
        place.usable()
        with alone(place.live / "now" / "lock"):
            _serve(place, found)
    except Busy:
        raise ServeError(
            "another service runs on this vault already; see: systemctl status blackstart-serve.service"
        ) from None
    except OSError as error:
        look = f"zpool status; zfs get mounted,readonly {found.pool}/vault/live"
        raise ServeError(f"the service cannot run: {_said(error)}; next: {look}") from None


def application(place: Place, found: Config, events: Events) -> App:
    """The service without its server."""
    store = Store(found, place.live, place.usable, events)
    announcer = Announcer(found.vault, events, place.announced, store.now / "announced.json")
    return make(store, Tokens(place.tokens), judging.Judging(store, place.judge), announcer)


def _serve(place: Place, found: Config) -> None:
    _many_files()
    events = Events(place.live / "now" / "events.jsonl")
    settings = uvicorn.Config(
        application(place, found, events),
        http=Protocol,
        ws="none",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key if place.certificate else None,
    )
    try:
        bound = listening(found)
    except OSError as error:
        raise ServeError(f"the service cannot run: {error}; see: ss -ltnp") from None
    _collect_seldom()
    with bound:
        _Server(settings, events).run(sockets=[bound])


class _Server(uvicorn.Server):
    """Streams of events end first: a page that somebody looks at would hold up the end until its grace is over."""

    def __init__(self, settings: uvicorn.Config, events: Events) -> None:
        super().__init__(settings)
        self._events = events

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._events.end_followers()
        await super().shutdown(sockets)


def listening(found: Config) -> socket.socket:
    """Bound before anything else begins: a port that is taken is said in one sentence. Raises OSError."""
    family = socket.AF_INET6 if ":" in found.address else socket.AF_INET
    try:
        made = socket.create_server(
            (found.address, found.port), family=family, backlog=2048, dualstack_ipv6=found.address == "::"
        )
        # Connections inherit it. asyncio sets it itself only where a socket says its protocol, which these may not.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    except OSError as error:
        raise OSError(f"{found.address} port {found.port}: {os.strerror(error.errno or 0)}") from None


def _collect_seldom() -> None:
    """A heartbeat is kept until the next one and holds nothing of itself; to look for that again and again cost more
    than to take them. What was imported stays anyway.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM)


def _many_files() -> None:
    """Each connection is one; the usual limit is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = 2 * CONNECTIONS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wished if most == resource.RLIM_INFINITY else min(most, wished), most))


def _said(error: OSError) -> str:
    if not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
