"""Debian packages asked for, and their versions."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading, Unknown


def section(query: Query) -> str:
    if not query.packages:
        return "printf '\\0'\n"
    return f"""\
command -v dpkg-query >/dev/null || {{ fail 'no dpkg-query on this host'; return 1; }}
set -- {words(query.packages)}
{{ v=$(dpkg-query -W -f '${{db:Status-Abbrev}}\\t${{Package}}\\t${{Version}}\\n' -- "$@" 2>&1 >&4); r=$?; }} 4>&1
printf '\\0%s' "$v"
[ $r -le 1 ]
"""


@total
def parse(text: str) -> Reading[dict[str, str]]:
    """`status TAB name TAB version` lines, NUL, what dpkg-query said. Only what is fully installed counts."""
    listing, separator, complaints = text.partition("\0")
    if not separator:
        raise ValueError("the list of packages has no end")
    for line in complaints.splitlines():
        if not line.startswith("dpkg-query: no packages found matching "):
            return Unknown(line[:200])
    packages = {}
    for line in listing.splitlines():
        status, name, version = line.split("\t")
        if status[1:2] == "i":
            packages[name] = version
    return Present(packages)
