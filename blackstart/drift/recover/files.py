"""Which files of the OS disk would be lost: brought by nobody that a rebuild asks, or changed since. Pure.

Not said: what every Debian has of its own or makes by itself (`_OF_THE_SYSTEM`), also where somebody has changed it,
and whatever lies elsewhere than blackstart.live.handmade looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from blackstart.drift import unmanaged
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.live.handmade import ROOTS
from blackstart.reading import Present, Unknown
from blackstart.vault.layout import CONFIG, LIBEXEC

TOGETHER = 3  # more than these in one folder are one finding

# Written by the installer or by packages' own scripts; a new machine has its own.
_OF_THE_SYSTEM = re.compile(
    r"/etc/("
    r"(passwd|shadow|group|gshadow|subuid|subgid)-?|\.pwd\.lock|security/opasswd|shells"
    r"|fstab|hostname|hosts(\.allow|\.deny)?|hostid|machine-id|adjtime|timezone|localtime|mtab|networks|resolv\.conf|motd|issue"
    r"|network/interfaces|ssh/ssh_host_\w+_key(\.pub)?|apt/sources\.list(\.d/debian\.sources)?"
    r"|locale\.gen|default/(locale|keyboard|console-setup)|console-setup/.*|vconsole\.conf|environment|profile"
    r"|nsswitch\.conf|inputrc|\.updated|ld\.so\.cache|ca-certificates\.conf|ssl/certs/.*|udev/hwdb\.bin"
    r"|pam\.d/common-[a-z-]+|python3/debian_config|xml/.*|sgml/.*|apparmor\.d/(local|cache\S*)/.*"
    r"|zfs/(zpool\.cache|zfs-list\.cache/.*)|lvm/(backup|archive)/.*|mdadm/mdadm\.conf|modules"
    r"|sudoers\.d/90-cloud-init-users|cloud/cloud\.cfg\.d/90_dpkg\.cfg|apt/mirrors/.*|\S*/50-cloud-init(\.\w+)?"
    r"|mailname|ssl/private/ssl-cert-snakeoil\.key|init\.d/\.depend\.\w+"
    r"|default/(grub|useradd)|initramfs-tools/(modules|conf\.d/.*)|kernel-img\.conf|alternatives/.*"
    r")|/usr/local/(.*/)?__pycache__/.*"
)
_OURS = (f"{LIBEXEC}/", f"{CONFIG}/")


def handmade(about: About) -> Iterator[Finding]:
    """Each file, or its folder where there are many."""
    found = about.live.handmade
    if isinstance(found, Unknown):
        yield about.unread("file", about.node, "handmade", found.why)
    if not isinstance(found, Present):
        return
    if not found.value.whole:
        yield about.unread("file", about.node, "handmade", "there are more than a reading carries: clear them up")
    changed = set(found.value.changed)
    for name, count in _together(_lost(about, changed)):
        why = "a package's own configuration, changed here: a rebuild brings the package's"
        yield about.lacks("file", name, "changed", why, _remedy(about), live=count)
    for name, count in _together(_lost(about, set(found.value.unowned) - changed)):
        why = "neither a package nor the spec brings it: it would be lost"
        yield about.lacks("file", name, "unowned", why, _remedy(about), live=count)


def _lost(about: About, paths: Iterable[str]) -> list[str]:
    return sorted(path for path in paths if path not in about.case.wanted.files and not _is_known(path))


def _is_known(path: str) -> bool:
    """Ours, or the system's."""
    return path.startswith(_OURS) or bool(_OF_THE_SYSTEM.fullmatch(path))


def _together(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(path, "") of each, or (folder, how many) for many in one."""
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        # A cron file or a unit acts by itself: each is named, and drift calls it unmanaged.
        by_folder.setdefault("" if unmanaged.kind(path) else _folder(path), []).append(path)
    for folder, inside in by_folder.items():
        if folder not in (*ROOTS, "") and len(inside) > TOGETHER:
            yield f"{folder}/", f"{len(inside)} files"
        else:
            yield from ((path, "") for path in inside)


def _folder(path: str) -> str:
    """The folder that a person would name: /etc/nginx for all below it; one of ROOTS for what lies there itself."""
    root = next((each for each in ROOTS if path.startswith(f"{each}/")), "")
    first, slash, _ = path.removeprefix(f"{root}/").partition("/")
    return f"{root}/{first}" if slash else root


def _remedy(about: About) -> str:
    own = " (or in one of its own deploys: then waive it)" if about.spec.node.host.deploys else ""
    return f"put it into [host.files] of nodes/{about.node}.toml{own}, or waive it"
