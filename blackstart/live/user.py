"""Users asked for."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import Query, UserLive
from blackstart.live.shell import words
from blackstart.reading import Present, Reading


def section(query: Query) -> str:
    if not query.users:
        return "printf '\\0'\n"
    # 2: one or more of the names were not found
    return f"""\
getent passwd {words(query.users)}
r=$?
[ $r = 0 ] || [ $r = 2 ] || return $r
printf '\\0'
exec getent group
"""


@total
def parse(text: str) -> Reading[dict[str, UserLive]]:
    """passwd lines of the users that exist, NUL, all group lines."""
    accounts, separator, groups = text.partition("\0")
    if not separator:
        raise ValueError("the list of users has no end")
    members: dict[str, set[str]] = {}
    for line in groups.splitlines():
        group, _, _, names = line.split(":")
        for name in names.split(","):
            members.setdefault(name, set()).add(group)
    users = {}
    for line in accounts.splitlines():
        name, _, uid, gid, _, home, shell = line.split(":")
        users[name] = UserLive(int(uid), int(gid), home, shell, tuple(sorted(members.get(name, ()))))
    return Present(users)
