"""The host's own way to Debian packages: its mirror, its apt options, its keyring."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

FALLBACK = "http://deb.debian.org/debian"
KEYRINGS = Path("/usr/share/keyrings")


def _output(argv: list[str]) -> str:
    if shutil.which(argv[0]) is None:
        return ""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def mirror() -> str:
    """The mirror this host itself uses for Debian; a host of another family gets Debian's own."""
    targets = _output(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"])
    return parse_mirror(targets)


def parse_mirror(targets: str) -> str:
    """Pick Debian's main archive out of `apt-get indextargets` (security is another archive)."""
    for line in targets.splitlines():
        origin, label, uri = line.split("|", 2)
        if origin == label == "Debian":
            return uri.rstrip("/")
    return FALLBACK


def parse_options(dump: str) -> list[str]:
    """Ways to the network (proxies, retries, certificates) out of `apt-config dump`; nothing else is carried."""
    wanted = re.compile(r'Acquire::(https?::|Retries|Check-)[^"]* "[^"]+";$')
    return [line.strip() for line in dump.splitlines() if wanted.match(line.strip())]


def options() -> list[str]:
    """The host's apt options that mmdebstrap needs to reach the mirror."""
    return parse_options(_output(["apt-config", "dump"]))


def keyring() -> Path | None:
    """Debian's keyring on a host that may be Ubuntu; None lets apt use its own trusted keys."""
    for name in ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp"):
        if (KEYRINGS / name).exists():
            return KEYRINGS / name
    return None
