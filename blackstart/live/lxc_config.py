"""The text of every LXC config on a host: what each container has mounted, and whether its file is ours."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.reading import Present, Reading, Unknown

SCRIPT = r"""
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ "$(id -u)" = 0 ] || { echo '!not run as root'; exit 0; }
for f in /var/lib/lxc/*/config; do
  [ -e "$f" ] || continue
  n=${f%/config}
  printf '+%s\n' "${n##*/}"
  sed 's/^/|/' "$f" 2>/dev/null || { printf '\n!%s could not be read\n' "$f"; exit 0; }
  echo
done
echo .
"""


@total
def parse(text: str) -> Reading[dict[str, str]]:
    """Container -> its config: `+NAME`, then `|` before each line; `!` says what failed, `.` ends it all."""
    found: dict[str, list[str]] = {}
    content: list[str] = []
    lines = [line for line in text.split("\n") if line]
    for line in lines:
        mark, rest = line[0], line[1:]
        if mark == "!":
            return Unknown(rest)
        if mark == "+":
            content = found[rest] = []
        elif mark == "|":
            content.append(rest)
    if lines[-1:] != ["."]:
        return Unknown("the list of LXC configs was cut off")
    return Present({name: "\n".join(each) for name, each in found.items()})
