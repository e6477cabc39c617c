"""Files of the OS disk that no package brought, and packages' own configuration that was changed since.

What dpkg and ucf say they laid down is compared with what is there. Only names and digests are looked at: a fraction
of a second, and never more than LIMIT paths.
"""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import HandmadeLive, Query
from blackstart.reading import Present, Reading

LIMIT = 2000  # paths of each kind; what is beyond is counted by nobody, and said
ROOTS = ("/etc", "/usr/local", "/var/spool/cron/crontabs")

# ucf(1) keeps Debian's configuration that is no conffile, /etc/ssh/sshd_config for one, in a list like md5sum's.
# A conffile that is not there any more is no file that could be lost.
_SECTION = f"""\
need_root || return 1
command -v dpkg-query >/dev/null || {{ fail 'no dpkg-query on this host'; return 1; }}
v=$(dpkg-query -W -f='${{Conffiles}}\\n') || return 1
u=
if [ -e /var/lib/ucf/hashfile ]; then u=$(cat /var/lib/ucf/hashfile) || return 1; fi
v=$({{ printf '%s\\n' "$v" | awk 'length($2) == 32 {{ print $2 "  " $1 }}'; printf '%s\\n' "$u"; }} |
  $limit md5sum -c --quiet --ignore-missing 2>/dev/null) || [ $? = 1 ] ||
  fail 'md5sum did not come to its end' || return 1
printf '%s\\n' "$v" | sed -n 's/: FAILED$//p' | head -n {LIMIT + 1}
printf '\\0'
v=$(grep -hE '^/(etc|usr/local|var/spool/cron/crontabs)/' /var/lib/dpkg/info/*.list)
[ $? -le 1 ] || return 1
v=$v$NL$(printf '%s\\n' "$u" | sed 's/^[0-9a-f]*  //')
set --
for k in {" ".join(ROOTS)}; do [ ! -d "$k" ] || set -- "$@" "$k"; done
u=$($limit find "$@" -xdev -type f -print) || return 1
{{ printf '%s\\n' "$v" -- "$u"; }} |
  awk 'there {{ if (!($0 in own)) print; next }} $0 == "--" {{ there = 1; next }} {{ own[$0] }}' | head -n {LIMIT + 1}
printf '\\0'
"""


def section(query: Query) -> str:
    return _SECTION if query.handmade else "fail 'not asked for'\n"


@total
def parse(text: str) -> Reading[HandmadeLive]:
    """Paths of changed files, NUL, paths that no package owns, NUL."""
    changed, unowned, rest = (part.splitlines() for part in text.split("\0"))
    if rest:
        raise ValueError("the list of files has no end")
    whole = max(len(changed), len(unowned)) <= LIMIT
    return Present(HandmadeLive(tuple(sorted(changed[:LIMIT])), tuple(sorted(filter(None, unowned[:LIMIT]))), whole))
