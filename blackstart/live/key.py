"""Whether keys open the node's own encrypted datasets: `zfs load-key -n` (zfs-load-key(8)), which loads nothing.

The keys come on the script's standard input, one line each, and are in no argv, environment or file on the host.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from blackstart.live.frame import total
from blackstart.live.model import KeyTried, Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading

# printf is the shell's own: its words are in no list of processes.
_SECTION = """\
zfs_ready || return 1
set -- {names}
while [ $# -gt 0 ] && IFS=' ' read -r k u <&8; do
  [ "$k" = "$1" ] || {{ fail "a key for $k came where one for $1 was to"; return 1; }}
  v=$(printf '%s' "$u" | base64 -d | $limit zfs load-key -n -L prompt "$1" 2>&1); r=$?
  printf '%s\\t%s\\t%s\\0' "$1" $r "$v"
  shift
done
[ $# = 0 ] || fail "no key came for $1"
"""
_NOT_ASKED = re.compile("cannot open|does not exist|[Pp]ermission denied")


def section(query: Query) -> str:
    return _SECTION.format(names=words(query.keys)) if query.keys else "fail 'not asked for'\n"


def sent(keys: Mapping[str, bytes]) -> str:
    """Standard input of the script: a line for each of `Query.keys`, which are the names in this order."""
    return "".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in keys.items())


@total
def parse(text: str) -> Reading[dict[str, KeyTried]]:
    """`dataset TAB status TAB what zfs said NUL` each."""
    found = {}
    for item in text.split("\0")[:-1]:
        name, status, said = item.split("\t", 2)
        why = next((line.strip() for line in said.splitlines() if line.strip()), f"exit status {status}")
        found[name] = KeyTried("opens") if int(status) == 0 else KeyTried(_state(int(status), why), why)
    return Present(found)


def _state(status: int, why: str) -> str:
    """timeout(1) says 124; without the dataset or the right to ask, nobody knows whether the key is the right one."""
    return "untried" if status == 124 or _NOT_ASKED.search(why) else "refused"
