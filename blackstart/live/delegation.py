"""What `zfs allow` grants, of the datasets asked for."""

from __future__ import annotations

import re

from blackstart.live.frame import total
from blackstart.live.model import Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading

NOBODYS = "(unknown: "  # how zfs_main.c begins the name of a number that no user of this system has
_GRANT = re.compile(rf"^\t(user|group) ({re.escape(NOBODYS)}\d+\)|\S+) (\S+)$")
_HEADER = re.compile(r"^---- Permissions on (\S+) -*$")


def section(query: Query) -> str:
    return f"""\
zfs_ready || return 1
for k in {words(query.delegations)}; do
  v=$(zfs allow "$k" 2>&1); r=$?
  case $r$v in
    0*) printf '%s\\t%s\\0' "$k" "$v";;
    *"'$k': dataset does not exist"*) ;;
    *) fail "${{v%%"$NL"*}}"; return 1;;
  esac
done
"""


@total
def parse(text: str) -> Reading[dict[str, str]]:
    """`dataset TAB text`, each ended by NUL. A dataset that does not exist is not in it."""
    found = {}
    for item in text.split("\0")[:-1]:
        dataset, _, grants = item.partition("\t")
        found[dataset] = grants
    return Present(found)


def grants(text: str, dataset: str) -> dict[str, frozenset[str]]:
    """User -> permissions granted on `dataset` itself (inherited ones left out) by the text of `zfs allow`.

    A number that no user has, of a lost system for one, is named `(unknown: 995)`.
    """
    found: dict[str, set[str]] = {}
    here = False
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            here = header[1] == dataset
            continue
        grant = _GRANT.match(line)
        if here and grant and grant[1] == "user":
            found.setdefault(grant[2], set()).update(grant[3].split(","))
    return {user: frozenset(permissions) for user, permissions in found.items()}
