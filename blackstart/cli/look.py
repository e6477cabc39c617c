"""Reading hosts for drift: all at once, one exec each, also for a vault, which is asked as a node and as a vault."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.here import Keys, with_missing
from blackstart.drift.case import Seen
from blackstart.drift.compare import ASKED
from blackstart.drift.stored import Text
from blackstart.live.frame import END
from blackstart.live.model import Live, Query
from blackstart.live.request import request
from blackstart.live.script import parse, script, unknown
from blackstart.restore.keeper import keepers
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import records_script

AT_ONCE = 64  # connections of this run
TRIES = 3
# What is said of a connection that sshd took and dropped: too many at once (MaxStartups), or a ban for some seconds
# (PerSourcePenalties). Neither is a dead host.
_DROPPED = ("kex_exchange_identification", "connection reset by", "connection closed by")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one host said, as a node and as a vault; None: it was not asked that."""

    live: Live | None
    vault: Text | None
    at: int  # seconds since 1970, by this machine's clock


def look(
    known: Hosts, specs: Mapping[str, NodeSpec], queries: Mapping[str, Query], keys: Mapping[str, Keys]
) -> dict[str, Answer]:
    """Ask each node of `specs`, and each vault that keeps one of them. Never raises for a host.

    `keys`: node -> those of its encrypted datasets, which it tries.
    """
    pools = {vault: pool for spec in specs.values() for vault, pool in keepers(spec).items()}
    names = [*specs, *(vault for vault in pools if vault not in specs)]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(names))) as pool:
        asked = {
            name: pool.submit(_ask, known, name, queries.get(name), pools.get(name), keys.get(name)) for name in names
        }
        return {name: each.result() for name, each in asked.items()}


def seen(answers: Mapping[str, Answer]) -> Seen:
    """The same as one look."""
    return Seen(
        {name: each.live for name, each in answers.items() if each.live},
        {name: each.vault.read() for name, each in answers.items() if each.vault},
        {name: each.at for name, each in answers.items()},
    )


def _ask(known: Hosts, name: str, query: Query | None, pool: str | None, keys: Keys | None) -> Answer:
    tried = keys or Keys()
    said, failed = patiently(lambda: question(known, name, query, pool, tried.sent))
    at = int(time.time())
    own, mark, rest = said.partition(END) if query is not None else ("", "", said)
    live = None
    if query is not None:
        live = unknown(failed) if failed else with_missing(parse(own + mark), tried)
    return Answer(live, Text(rest, failed, pool) if pool else None, at)


def question(known: Hosts, name: str, query: Query | None, pool: str | None, keys: str = "") -> tuple[str, str]:
    """One exec: the script, or with a read key what to put into the one that lies on the host.

    `keys`: those that the query names, for the script's standard input.
    """
    if known.read_key:
        return known.by_read_key(name, request(query, pool is not None))
    parts = [script(query, ASKED)] if query is not None else []
    parts += [records_script.script(pool, fit=True)] if pool else []
    return known.run(name, "\n".join(f"(\n{part}\n)" for part in parts), stdin=keys)


def patiently(ask: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """The answer, asked for again where sshd was too busy to take the connection."""
    said, failed = ask()
    for number in range(1, TRIES):
        if not failed.lower().startswith(_DROPPED):
            break
        time.sleep(number * random.uniform(0.5, 1.5))
        said, failed = ask()
    return said, failed
