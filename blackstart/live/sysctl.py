"""Kernel parameters asked for, from /proc/sys."""

from __future__ import annotations

import re

from blackstart.live.frame import total
from blackstart.live.model import Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading

_RECORD = re.compile(r"([^\0]*)\0([^\n]*)\n")


def path_of(name: str) -> str:
    """The file of a parameter, by sysctl(8)'s rule: the first separator decides which of `.` and `/` separates.

    Raises ValueError for a name that leaves /proc/sys.
    """
    separator = re.search(r"[./]", name)
    below = name.translate(str.maketrans("./", "/.")) if separator and separator[0] == "." else name
    if any(part in ("", ".", "..") for part in below.split("/")):
        raise ValueError(f"{name!r} is not a kernel parameter")
    return f"/proc/sys/{below}"


def normal(value: str) -> str:
    """A value with its numbers separated by one space, as a spec says it; the kernel prints tabs."""
    return " ".join(value.split())


def section(query: Query) -> str:
    pairs = tuple(word for name in query.sysctl for word in (name, path_of(name)))
    return f"""\
set -- {words(pairs)}
n=$#
while [ $n -gt 0 ]; do
  if [ -e "$2" ]; then printf '%s\\t%s\\n' "$1" "$2"; set -- "$@" "$2"; fi
  shift 2; n=$((n - 2))
done
printf '\\0'
[ $# = 0 ] || exec grep -aZH '' -- "$@"
"""


@total
def parse(text: str) -> Reading[dict[str, str]]:
    """`name TAB path` of those that exist, NUL, `path NUL value` lines. Values as of `normal`."""
    head, separator, body = text.partition("\0")
    if not separator:
        raise ValueError("the list of kernel parameters has no end")
    values: dict[str, list[str]] = {}
    for path, value in _RECORD.findall(body):
        values.setdefault(path, []).append(value)
    pairs = dict(line.split("\t") for line in head.splitlines())
    return Present({name: normal(" ".join(values.get(path, []))) for name, path in pairs.items()})
