"""The host itself: boot, identity, clock, memory, load. Read from /proc without a process where that is possible."""

from __future__ import annotations

from blackstart.live.frame import total
from blackstart.live.model import HostLive, Query
from blackstart.reading import Present, Reading

_SECTION = """\
for k in sys/kernel/random/boot_id sys/kernel/hostname sys/kernel/osrelease uptime loadavg; do
  IFS= read -r v </proc/$k || return 1
  printf '%s %s\\n' "${k##*/}" "$v"
done
while read -r k v _; do
  case $k in MemTotal:|MemAvailable:) printf '%s %s\\n' "$k" "$v";; esac
done </proc/meminfo
while IFS= read -r v || [ -n "$v" ]; do printf 'os %s\\n' "$v"; done </etc/os-release
v=$(hostid) || return 1
printf 'hostid %s\\n' "$v"
exec date '+clock %s'
"""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[HostLive]:
    """`KEY VALUE` lines; os-release lines follow `os`."""
    facts: dict[str, str] = {}
    release: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "os":
            name, _, quoted = value.partition("=")
            release[name] = quoted.strip().strip("\"'")
        else:
            facts[key] = value
    one, five, fifteen = (float(number) for number in facts["loadavg"].split()[:3])
    return Present(
        HostLive(
            boot_id=facts["boot_id"],
            hostid=facts["hostid"],
            hostname=facts["hostname"],
            clock=int(facts["clock"]),
            uptime=float(facts["uptime"].split()[0]),
            load=(one, five, fifteen),
            memory_total=int(facts["MemTotal:"]) * 1024,
            memory_available=int(facts["MemAvailable:"]) * 1024,
            kernel=facts["osrelease"],
            debian=_debian(release),
        )
    )


def _debian(release: dict[str, str]) -> str:
    version = release.get("VERSION_ID", "")
    return version if release.get("ID") == "debian" else f"{release.get('ID', 'unknown')} {version}".strip()
