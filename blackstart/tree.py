"""The fleet's files as of one commit, beside whatever the operator's own checkout holds now."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from blackstart.change import shell
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout
from blackstart.vault.upload import mounted

SECONDS = 600


class TreeError(Exception):
    """The files of that commit could not be had; one clause."""


def names_files(spec: NodeSpec) -> bool:
    """Whether anything of the node lies in the fleet's folder: sources of files, deploys, templates of units."""
    host = spec.node.host
    sources = any(file.source for file in host.files.values())
    return bool(sources or host.deploys or any(each.services for each in spec.containers.values()))


def is_commit(text: str) -> bool:
    """Whether a record says which commit it was: not "" (outside git), not "…-dirty"."""
    return re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", text) is not None


def archive(folder: Path, commit: str) -> bytes | None:
    """A tar of the repository that `folder` lies in, as of `commit`. None where it has no such commit.

    Nothing of the repository or of what is checked out is touched. Raises TreeError.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None or _git(folder, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return None
    packed = _git(Path(top.decode().rstrip("\n")), "archive", "--format=tar", commit)
    if packed is None:
        raise TreeError(f"commit {commit[:12]} of {folder} could not be read whole; try `git fsck` there")
    return packed


def prefix(folder: Path) -> str:
    """Where in its repository a fleet's folder lies; "" at the top, and outside git."""
    found = _git(folder, "rev-parse", "--show-prefix")
    return found.decode().rstrip("\n") if found else ""


def _git(folder: Path, *words: str) -> bytes | None:
    """stdout, None where git fails (or is not there)."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def on_vault(commit: str, file: str) -> str:
    """Shell for a vault: pack `commit` of its copy of the fleet into `file`; prints "size sha256", or "absent"."""
    repository = f"{layout.SPECS}/fleet.git"
    git, out = shell("git", "-C", repository), shell(file)
    return "\n".join(
        [
            "set -e; umask 077",
            # Not mounted, or damaged, is not "this commit is not there".
            mounted(layout.SPECS),
            f"if [ ! -e {repository}/HEAD ]; then echo absent; exit 0; fi",
            f"{git} rev-parse --git-dir >/dev/null",
            f"{git} cat-file -e {shell(commit + '^{commit}')} 2>/dev/null || {{ echo absent; exit 0; }}",
            f"{git} archive --format=tar {shell(commit)} >{out}",
            f"echo $(stat -c %s {out}) $(sha256sum <{out} | cut -d ' ' -f 1)",
        ]
    )


def parse_packed(text: str) -> tuple[int, str] | None:
    """What `on_vault` printed: bytes and sha256, None when the vault has not that commit. Raises TreeError."""
    words = text.split()
    if words == ["absent"]:
        return None
    if len(words) != 2 or not words[0].isdigit():
        raise TreeError(f"unexpected answer {text[:60]!r}")
    return int(words[0]), words[1]


def unpack(tar: Path, into: Path, where: str) -> Path:
    """Unpack; the fleet's folder in it, `where` it lies here if that has one. Raises TreeError."""
    done = subprocess.run(["tar", "-x", "-C", str(into), "-f", str(tar)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise TreeError(f"the files of the commit could not be unpacked: {done.stderr.strip()}")
    if (into / where / "fleet.toml").is_file():
        return into / where
    found = sorted(into.rglob("fleet.toml"))
    if len(found) != 1:
        raise TreeError(f"{len(found)} files in that commit are named fleet.toml, and none is {where}fleet.toml")
    return found[0].parent
