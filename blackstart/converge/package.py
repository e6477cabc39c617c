"""Debian packages: only what is missing is installed, nothing is upgraded or removed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, unknown
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.vault.layout import STATE

APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300"
NO_ZFS = (
    "no zfs-dkms package: enable Debian's 'contrib' component in /etc/apt/sources.list (or *.sources), then run again"
)
# Fails where any source cannot be had; apt's own update only warns, and an install would find nothing.
REACH = f"{APT} -o APT::Update::Error-Mode=any -o Acquire::Retries=0 -o Acquire::http::Timeout=20 update"

# Where packages that a vault kept wait to be installed, and how apt is pointed at them and at nothing else.
KEPT = f"{STATE}/packages"
CONFIG = f"{KEPT}/apt.conf"
_SETTINGS = {
    "Dir::Etc::sourcelist": f"{KEPT}/sources.list",
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::lists": f"{KEPT}/lists",
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "APT::Sandbox::User": "root",
}


def diff(wanted: Wanted, live: Live) -> list[Change]:
    installed = known(live.packages)
    if isinstance(installed, Unknown):
        return unknown("package", wanted.packages, installed)
    return [create("package", name) for name in wanted.packages if name not in installed]


def commands(changes: list[Change], live: Live) -> list[str]:
    """Install the missing ones. ZFS comes with its module where the kernel has none."""
    names = sorted(change.name for change in changes if change.action == "create")
    if not names:
        return []
    steps = [f"{APT} update"]
    if "zfsutils-linux" in names and not isinstance(live.zfs, Present):
        steps.append(
            "modinfo zfs >/dev/null 2>&1 || { apt-cache show zfs-dkms >/dev/null 2>&1 || "
            f"{{ echo {shell(NO_ZFS)} >&2; exit 1; }}; "
            f'{APT} install --no-install-recommends "linux-headers-$(uname -r)" zfs-dkms; }}'
        )
    steps.append(f"{APT} install --no-install-recommends {shell(*names)}")
    if "zfsutils-linux" in names:
        steps.append("modprobe zfs")
    return steps


@dataclass(frozen=True, slots=True)
class Package:
    """One that apt would fetch: `path` below KEPT, bytes, sha256 (hex)."""

    path: str
    size: int
    sha256: str


def offline() -> str:
    """Point apt at KEPT. Its index came over a pinned connection, and names each package's sha256."""
    lines = [f'{key} "{value}";' for key, value in _SETTINGS.items()]
    config = shell("printf", r"%s\n", *lines)
    source = shell("printf", r"%s\n", f"deb [trusted=yes] copy:{KEPT} ./")
    return f"set -e; mkdir -p {KEPT}/lists/partial; {config} >{CONFIG}; {source} >{KEPT}/sources.list"


def with_kept(command: str) -> str:
    """The same command over nothing but what lies in KEPT."""
    return f"export APT_CONFIG={CONFIG}; {command}"


def uris(changes: list[Change], live: Live) -> str:
    """Ask apt what it would fetch for the missing ones; `parse_uris` reads the answer."""
    names = shell(*sorted(change.name for change in changes if change.action == "create"))
    built = ""
    if not isinstance(live.zfs, Present):
        built = '$(modinfo zfs >/dev/null 2>&1 || echo "linux-headers-$(uname -r) zfs-dkms")'
    return with_kept(f"{APT} update >&2 && {APT} install --no-install-recommends --print-uris {names} {built}")


def parse_uris(text: str) -> list[Package]:
    """Lines of `'copy:PATH' NAME SIZE ...`, where the file's name is its sha256. Raises ValueError for another one."""
    found = []
    for line in text.splitlines():
        if not line.startswith("'"):
            continue
        match = re.match(r"'copy:(\S*/([0-9a-f]{64})\.deb)' \S+ (\d+)", line)
        if not match:
            raise ValueError(f"apt's line {line!r} names no digest")
        found.append(Package(unquote(match[1]), int(match[3]), match[2]))
    return found
