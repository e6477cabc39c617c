"""Network interfaces and their addresses."""

from __future__ import annotations

import json

from blackstart.live.frame import total
from blackstart.live.model import Query
from blackstart.reading import Present, Reading

_SECTION = """\
command -v ip >/dev/null || { fail 'no ip command (iproute2) on this host'; return 1; }
exec ip -j address show
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[dict[str, tuple[str, ...]]]:
    """`ip -j address show`: interface -> its addresses as CIDR, in the kernel's order."""
    return Present(
        {
            link["ifname"]: tuple(f"{each['local']}/{each['prefixlen']}" for each in link["addr_info"])
            for link in json.loads(text)
            if link
        }
    )
