"""The Python of a vault: what the tool's libraries are made for. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A vault's Python: `minor` of Python 3, `machine` as uname -m says it, `glibc` the minor of version 2."""

    minor: int
    machine: str
    glibc: int

    def platforms(self) -> list[str]:
        """Wheels' platform tags that run there, best first (PEP 600); pip does not work out the lower ones itself."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 4, -1)]
        return tags + [f"{old}_{self.machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1")]


def short(lock: bytes) -> str:
    """What a vault's launcher looks for, by the lock file beside the tool that it starts."""
    return hashlib.sha256(lock).hexdigest()[:12]


def parse_target(lines: list[str]) -> Target:
    """What `readlink -f /usr/bin/python3; uname -m; getconf GNU_LIBC_VERSION` print. Raises ValueError."""
    found = re.fullmatch(r"/usr/bin/python3\.(\d+)\n([a-z0-9_]+)\nglibc 2\.(\d+)", "\n".join(lines).strip())
    if not found:
        raise ValueError(f"{' '.join(lines)!r} is no Python 3 of Debian's")
    return Target(int(found[1]), found[2], int(found[3]))
