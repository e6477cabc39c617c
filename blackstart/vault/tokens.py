"""Whose token may do what: kept on a vault as digests, changed by root's program here, read by the service.

`python3 -m blackstart.vault.tokens < asked.json`: {"add": [{id, scope, node, service, sha256}], "revoke": [id],
"keep": [node]}; `keep` takes away what nodes have that are none of these. Nothing but Python's standard library.
"""

from __future__ import annotations

import fcntl
import grp
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blackstart.vault import files, layout

FORMAT = 1
SCOPES = ("heartbeat", "service", "signal", "operator")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@/-]{0,99}")
_NAME = re.compile(r"([a-z]([a-z0-9-]{0,30}[a-z0-9])?)?")
_SERVICE = re.compile(r"[A-Za-z0-9_.@/\\-]{0,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Token:
    """`sha256`: of the token as sent (64 hex digits). `since`: seconds since 1970, by the vault's clock.

    `node`, `service`: whom it speaks for; "" where it speaks for none. A node's own has its name as `id`.
    """

    id: str
    scope: str
    node: str
    service: str
    sha256: str
    since: int


def token(data: dict[str, Any], now: int) -> Token:
    """One as it was asked for, or as it is kept. Raises ValueError with one clause, TypeError for what is no object."""
    try:
        made = Token(data["id"], data["scope"], data.get("node", ""), data.get("service", ""), data["sha256"], now)
    except KeyError as error:
        raise ValueError(f"a token without {error}") from error
    if not all(isinstance(each, str) for each in (made.id, made.scope, made.node, made.service, made.sha256)):
        raise ValueError("a token's values are text")
    for value, grammar in ((made.id, _ID), (made.node, _NAME), (made.service, _SERVICE), (made.sha256, _SHA256)):
        if not grammar.fullmatch(value):
            raise ValueError(f"{value[:100]!r} is nothing that a token has")
    if made.scope not in SCOPES:
        raise ValueError(f"{made.scope!r} is no scope; there are {', '.join(SCOPES)}")
    if made.scope in ("heartbeat", "service") and not made.node:
        raise ValueError(f"a token of scope {made.scope} is a node's")
    return made


def dump(tokens: Iterable[Token]) -> str:
    """One a line, in order of id: a person may look for one."""
    lines = (json.dumps(asdict(each), sort_keys=True) for each in sorted(tokens, key=lambda each: each.id))
    return f'{{"format": {FORMAT}, "tokens": [\n' + ",\n".join(lines) + "\n]}\n"


def load(text: str) -> tuple[Token, ...]:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        return tuple(token(each, each["since"]) for each in data["tokens"])
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a list of tokens: {error!r}") from error


def by_id(lines: list[str]) -> dict[str, Token]:
    """The file's lines. Raises ValueError."""
    return {each.id: each for each in load("\n".join(lines))}


def changed(tokens: Iterable[Token], asked: dict[str, Any], now: int) -> tuple[Token, ...]:
    """`tokens` with what was asked for; the same one added again keeps its `since`.

    Raises ValueError, also for one secret under two names: it would be taken for either.
    """
    kept = {each.id: each for each in tokens if each.id not in set(asked.get("revoke", ()))}
    if "keep" in asked:
        kept = {name: each for name, each in kept.items() if not each.node or each.node in asked["keep"]}
    for data in asked.get("add", ()):
        made = token(data, now)
        other = next((each.id for each in kept.values() if each.sha256 == made.sha256 and each.id != made.id), "")
        if other:
            raise ValueError(f"{made.id} would have the secret of token {other}; it takes one of its own")
        was = kept.get(made.id)
        if was is None or made != Token(**asdict(was) | {"since": now}):
            kept[made.id] = made
    return tuple(kept.values())


def main() -> int:
    """Exit code 1 with one sentence."""
    path = Path(layout.TOKENS)
    try:
        asked = json.load(sys.stdin)
        with Path(f"{path}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            was = load(path.read_text(encoding="utf-8")) if path.exists() else ()
            now = changed(was, asked, int(time.time()))
            if now != was or not path.exists():
                files.replace(path, dump(now), 0o640, grp.getgrnam(layout.SERVE).gr_gid)
    except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
        print(f"{os.uname().nodename}: {path} was not written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
