"""Debian packages: only what is missing is installed, nothing is upgraded or removed."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, unknown
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown

APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300"
NO_ZFS = (
    "no zfs-dkms package: enable Debian's 'contrib' component in /etc/apt/sources.list (or *.sources), then run again"
)


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
