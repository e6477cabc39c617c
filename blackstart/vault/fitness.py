"""What one exec on a vault tells of how fit it is to bring a node back, beside records and replicas. Pure.

Asked for by those who judge that; a deploy does not pay for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from blackstart.vault import layout

# Each says whether what it looks into is mounted: an empty folder of the OS disk must not look like nothing kept.
SECTIONS = r"""
on_its_own() { mountpoint -q "$1" || { echo "$1 is not mounted" >&2; return 1; }; }
room() { zpool list -Hp -o health,readonly "$POOL" && zfs list -Hp -o used,available "$POOL/vault"; }
section room room
packages() {
  on_its_own "$IMAGES" || return 1
  [ -e "$PACKAGES/Packages" ] || return 0
  for f in "$PACKAGES"/*.deb; do [ ! -e "$f" ] || printf '%s\n' "${f##*/}"; done
  awk '/^Package: / { name = $2 } /^SHA256: / { print name, $2 }' "$PACKAGES/Packages"
}
section packages packages
commits() {
  on_its_own "$SPECS" || return 1
  [ ! -e "$SPECS/fleet.git/HEAD" ] ||
    git -C "$SPECS/fleet.git" for-each-ref --format='%(refname:lstrip=2)' refs/blackstart
}
section commits commits
notes() {
  on_its_own "$LIVE" || return 1
  set --
  for f in "$LIVE"/*/keys.json "$LIVE"/*/replication.json "$LIVE"/*/drill/last.json "$LIVE"/*/drill/passed.json
  do
    # A link is nobody's note: it might lead to what only root may read.
    [ -h "$f" ] || [ -h "${f%/*}" ] || [ ! -e "$f" ] || set -- "$@" "$f"
  done
  [ $# -gt 0 ] || return 0
  grep -aH '' /dev/null "$@"
}
section notes notes
"""
# The last rebuild of one node, else the last restore of a part of it, out of a journal that only grows: from its end.
OUTCOME = r"""
outcome() {
  mountpoint -q "$LIVE" || { echo "$LIVE is not mounted" >&2; return 1; }
  [ -e "$JOURNAL" ] || return 0
  tac "$JOURNAL" | grep -m 1 '"event": "rebuilt"' || tac "$JOURNAL" | grep -m 1 '"event": "restored"' || :
}
section outcome outcome
"""


@dataclass(frozen=True, slots=True)
class Room:
    """The vault's pool: zpool's word for its health, and the bytes that `<pool>/vault` uses and may still take."""

    state: str
    readonly: bool
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Proof:
    """That a key opened the node's own dataset. `guid`: that dataset's; one made anew has another key."""

    guid: str
    at: int  # seconds since 1970
    by: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """The last drill that this vault played of the newest data (blackstart.isolated). `at`: seconds since 1970."""

    at: int
    verdict: str  # passed, failed, incomplete
    why: tuple[str, ...] = ()
    rpo: int | None = None
    rto: float = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """What lies beside a node's record. `failed`: dataset -> why its last replication brought nothing."""

    keys: dict[str, Proof] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    drill: Drilled | None = None
    passed: Drilled | None = None  # the last one that could look at all of it, and found it good


def parse_room(lines: list[str]) -> Room:
    """`health TAB readonly`, `used TAB available`. Raises ValueError."""
    state, readonly = lines[0].split("\t")
    used, free = lines[1].split("\t")
    return Room(state, readonly == "on", int(used), int(free))


def parse_packages(lines: list[str]) -> dict[str, bool]:
    """Names of kept files, then `NAME SHA256` of the index: package -> whether a file of that digest is there."""
    files = {line for line in lines if " " not in line}
    found: dict[str, bool] = {}
    for line in lines:
        name, space, sha256 = line.partition(" ")
        if space:
            found[name] = found.get(name, False) or f"{sha256}.deb" in files
    return found


def parse_notes(lines: list[str]) -> dict[str, Notes]:
    """grep's `PATH:LINE`: node -> what is noted. A note that cannot be understood is none: nothing is proven by it."""
    texts: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        path, found, rest = line.removeprefix(f"{layout.LIVE}/").partition(".json:")
        node, slash, name = path.partition("/")
        if not found or not slash:
            raise ValueError(f"{line[:80]!r} is no line of a note")
        texts.setdefault((node, name), []).append(rest)
    nodes = sorted({node for node, _ in texts})
    return {
        node: Notes(
            _proofs(_document(texts.get((node, "keys")))),
            _failed(_document(texts.get((node, "replication")))),
            drilled(_document(texts.get((node, "drill/last")))),
            drilled(_document(texts.get((node, "drill/passed")))),
        )
        for node in nodes
    }


def dump_proofs(keys: Mapping[str, Proof]) -> str:
    """JSON of proofs by dataset, as `parse_notes` finds it in keys.json; newline at the end."""
    proofs = {name: asdict(proof) for name, proof in keys.items()}
    return json.dumps({"format": 1, "keys": proofs}, indent=1, sort_keys=True) + "\n"


def parse_outcome(lines: list[str]) -> dict[str, Any]:
    """The journal's line of the last rebuild or restore (docs/json.md, Outcome); {} where there was none."""
    return _document(lines)


def _document(lines: list[str] | None) -> dict[str, Any]:
    try:
        found = json.loads("\n".join(lines or ()))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == 1 else {}


def _proofs(document: dict[str, Any]) -> dict[str, Proof]:
    keys = document.get("keys")
    found = {}
    for name, each in keys.items() if isinstance(keys, dict) else ():
        if isinstance(each, dict) and isinstance(each.get("at"), int):
            found[str(name)] = Proof(str(each.get("guid", "")), each["at"], str(each.get("by", "")))
    return found


def drilled(document: dict[str, Any]) -> Drilled | None:
    """Of a drill's result; None where it is none."""
    at, verdict, why, rpo, rto = (document.get(key) for key in ("at", "verdict", "why", "rpo", "rto"))
    if not isinstance(at, int) or not isinstance(rto, int | float) or not isinstance(why, list):
        return None
    return Drilled(at, str(verdict), tuple(map(str, why)), rpo if isinstance(rpo, int) else None, float(rto))


def _failed(document: dict[str, Any]) -> dict[str, str]:
    failed = document.get("failed")
    return {str(name): str(why) for name, why in failed.items()} if isinstance(failed, dict) else {}
