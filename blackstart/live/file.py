"""Files asked for by path, and everything in the folders asked for: digest, mode, owner."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import FileLive, Query
from blackstart.live.shell import words
from blackstart.reading import Present, Reading, Unknown

_KINDS = {
    "regular file": "file",
    "regular empty file": "file",
    "directory": "directory",
    "symbolic link": "link",
}
_MISSING = (": No such file or directory", ": Not a directory")


def section(query: Query) -> str:
    return f"""\
need_root || return 1
set -- {words(query.files)}
for k in {words(query.directories)}; do
  for v in "$k"/* "$k"/.[!.]*; do
    if [ -e "$v" ] || [ -L "$v" ]; then set -- "$@" "$v"; fi
  done
done
if [ $# = 0 ]; then printf '\\0\\0'; return 0; fi
{{ v=$(stat --printf='%a\\t%U\\t%G\\t%F\\t%n\\0' -- "$@" 2>&1 >&4); }} 4>&1
printf '\\0%s\\0' "$v"
n=$#
while [ $n -gt 0 ]; do
  if [ -f "$1" ] && [ ! -L "$1" ]; then set -- "$@" "$1"; fi
  shift; n=$((n - 1))
done
[ $# = 0 ] || exec sha256sum -z -- "$@"
"""


@total
def parse(text: str) -> Reading[dict[str, FileLive]]:
    """`mode TAB owner TAB group TAB kind TAB path NUL` each, NUL, what stat said, NUL, `sha256  path NUL` each."""
    if text.startswith("\0"):
        stats, rest = "", text[1:]
    else:
        stats, separator, rest = text.partition("\0\0")
        if not separator:
            raise ValueError("the list of files has no end")
    complaints, _, sums = rest.partition("\0")
    for line in complaints.splitlines():
        if not line.endswith(_MISSING):
            return Unknown(line[:200])
    digests = {path: digest for digest, _, path in (item.partition("  ") for item in sums.split("\0") if item)}
    files = {}
    for item in stats.split("\0") if stats else []:
        mode, owner, group, kind, path = item.split("\t", 4)
        kind = _KINDS.get(kind, "other")
        if kind == "file" and len(digests.get(path, "")) != 64:
            return Unknown(f"{path} changed while it was read")
        files[path] = FileLive(digests.get(path, ""), mode.rjust(4, "0"), owner, group, kind)
    return Present(files)
