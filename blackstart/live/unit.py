"""systemd units asked for."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import Query, UnitLive
from blackstart.live.shell import words
from blackstart.reading import Present, Reading

_FIELDS = ("LoadState", "ActiveState", "SubState", "UnitFileState")


def section(query: Query) -> str:
    if not query.units:
        return "printf '\\0'\n"
    options = " ".join(f"-p {name}" for name in _FIELDS)
    return f"""\
[ -d /run/systemd/system ] || {{ fail 'systemd does not run here'; return 1; }}
set -- {words(query.units)}
printf '%s\\n' "$@"
printf '\\0'
exec $limit systemctl show --no-pager {options} -- "$@"
"""


@total
def parse(text: str) -> Reading[dict[str, UnitLive]]:
    """The names asked for, NUL, one block of `KEY=VALUE` lines per name in that order.

    A unit that does not exist is not in it: systemctl answers `LoadState=not-found` for it.
    """
    head, separator, body = text.partition("\0")
    names = head.splitlines()
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in body.split("\n\n") if block.strip()]
    if not separator or len(blocks) != len(names):
        raise ValueError(f"{len(blocks)} answers for {len(names)} units")
    units = {}
    for name, block in zip(names, blocks, strict=True):
        load, active, sub, enabled = (block[field] for field in _FIELDS)
        if load != "not-found":
            units[name] = UnitLive(load, active, sub, enabled)
    return Present(units)
