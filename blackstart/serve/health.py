"""How the service itself is: the documents of /health and /metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blackstart import __version__
from blackstart.drift.metrics import gauge
from blackstart.serve.fleet import ticks
from blackstart.serve.store import Store
from blackstart.serve.tokens import Tokens

KSTAT = Path("/proc/spl/kstat/zfs")
_WELL = ("ONLINE", "DEGRADED")  # of a pool that can be written to


def pool_state(pool: str, kstat: Path = KSTAT) -> str:
    """In the words of `zpool list`, without a process; `unknown` where the kernel says nothing of it."""
    try:
        return (kstat / pool / "state").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return "unknown"


def health(store: Store, tokens: Tokens, started: float, kstat: Path = KSTAT) -> dict[str, Any]:
    """`started`: by CLOCK_BOOTTIME. `status`: `ok`, or `degraded` with the reasons for it."""
    pool = pool_state(store.config.pool, kstat)
    why = list(_reasons(store, tokens, pool))
    return {
        "format": 1,
        "status": "degraded" if why else "ok",
        "why": why,
        "version": __version__,
        "uptime": round(ticks() - started, 1),
        "last_write": round(store.writer.written, 3) or None,
        "pool": pool,
    }


def _reasons(store: Store, tokens: Tokens, pool: str) -> Iterator[str]:
    try:
        store.usable()
    except OSError as error:
        yield error.strerror or str(error)
    if why := tokens.trouble:
        yield f"no token can be judged, so every heartbeat is refused: {why}"
    if store.writer.failed:
        yield f"the last heartbeat could not be kept: {store.writer.failed}"
    if store.trouble:
        yield f"files are behind: {store.trouble}"
    if store.silence:
        yield f"events cannot be written: {store.silence}"
    if not store.writer.goes_on:
        yield "nothing writes heartbeats any more; next: systemctl restart blackstart-serve.service"
    if pool not in (*_WELL, "unknown"):
        yield f"pool {store.config.pool} is {pool}"


def metrics(store: Store, tokens: Tokens, started: float, kstat: Path = KSTAT) -> str:
    """As Prometheus reads it. What is not known has no number."""
    now, found = ticks(), store.index()["nodes"]
    refused = sorted((name, count) for name, count in store.counts.items() if name.startswith("refused_"))
    ages = [({"node": name}, each["age"]) for name, each in found.items() if each["age"] is not None]
    heard = [({"node": name, "state": each["heard"]}, 1) for name, each in found.items()]
    ok = int(health(store, tokens, started, kstat)["status"] == "ok")
    lines = [
        *gauge("up", "Whether nothing is wrong with the service, as /health says.", [({}, ok)]),
        *gauge("uptime_seconds", "Since its start.", [({}, round(now - started, 1))]),
        *gauge("heartbeats_total", "Heartbeats on the disk.", [({}, store.counts["accepted"])], "counter"),
        *gauge(
            "heartbeats_refused_total",
            "Heartbeats that were not taken, by the status that they were answered with.",
            [({"status": name.removeprefix("refused_")}, count) for name, count in refused],
            "counter",
        ),
        *gauge("readings_total", "Whole readings on the disk.", [({}, store.counts["readings"])], "counter"),
        *gauge("readings_unjudged_total", "Those that gave no result.", [({}, store.counts["unjudged"])], "counter"),
        *gauge("heartbeat_age_seconds", "Since the last heartbeat, by this vault's clock.", ages),
        *gauge("node_heard", "How a node stands: fresh, late, silent or unknown.", heard),
        *gauge("scrape_timestamp_seconds", "This vault's clock.", [({}, int(time.time()))]),
    ]
    return "".join(f"{line}\n" for line in lines)
