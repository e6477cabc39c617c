"""ZFS itself: the tools, and the kernel module that they talk to."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import Query, ZfsLive
from blackstart.reading import ABSENT, Present, Reading, Unknown

# The tools are not started without the module: opening /dev/zfs loads it, and a reading changes nothing.
_SECTION = """\
if ! command -v zfs >/dev/null && ! command -v zpool >/dev/null; then printf 'none\\n'; return 0; fi
zfs_tools || return 1
IFS= read -r v </sys/module/zfs/version && printf 'kernel %s\\n' "$v"
zfs version || :
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[ZfsLive]:
    """`none`, or `kernel VERSION` (module loaded) and `zfs-VERSION`."""
    lines = text.split()
    if lines == ["none"]:
        return ABSENT
    userland = [line for line in lines if line.startswith("zfs-") and not line.startswith("zfs-kmod-")]
    if not userland:
        return Unknown("the ZFS tools do not say their version")
    if lines[0] != "kernel":
        return Unknown("the ZFS kernel module does not say its version")
    return Present(ZfsLive(userland=userland[0].removeprefix("zfs-"), kernel=lines[1]))
