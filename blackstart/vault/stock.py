"""What a rebuild needs beside data, on the vault: images and releases by digest, the fleet's git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from blackstart.change import shell
from blackstart.spec.fleet import Lock
from blackstart.vault import layout


def wanted(lock: Lock) -> dict[str, tuple[str, str]]:
    """File name in the vault's stock -> (its folder, sha256 hex): every image and release that lock.toml names."""
    found = {}
    for image in lock.images.values():
        digest = image.digest.removeprefix("sha256:")
        found[f"{digest}.tar.zst"] = (layout.IMAGES, digest)
    for project in lock.projects.values():
        digest = project.digest.removeprefix("sha256:")
        found[f"{digest}.tar"] = (layout.PROJECTS, digest)
    return found


def incoming(folder: str, name: str) -> str:
    """Where a file is uploaded to before it is proven."""
    return f"{folder}/.new-{name}"


def accept(folder: str, name: str, sha256: str) -> str:
    """Shell that puts an uploaded file in place if its digest is the one that its name says."""
    new = incoming(folder, name)
    check = f"printf '%s  %s\\n' {shell(sha256)} {shell(new)} | sha256sum -c --quiet -"
    return f"{check} && {shell('sync', new)} && {shell('mv', '-T', new, f'{folder}/{name}')}"


def bundle(folder: Path) -> bytes:
    """The committed history of the repository that the fleet lies in. Raises OSError, subprocess.CalledProcessError."""
    command = ["git", "-C", str(folder), "bundle", "create", "-q", "-", "HEAD", "--branches"]
    return subprocess.run(command, capture_output=True, check=True, timeout=600).stdout


def accept_bundle(file: str, commit: str) -> str:
    """Shell that takes a bundle into fleet.git. What it once had stays under refs/blackstart/."""
    repository, mark = f"{layout.SPECS}/fleet.git", f"{layout.SPECS}/commit"
    return "\n".join(
        [
            "set -e",
            f"[ -e {repository}/HEAD ] || git init -q --bare {repository}",
            f"git -C {repository} fetch -q {shell(file)} HEAD '+refs/heads/*:refs/heads/*'",
            f"git -C {repository} update-ref refs/blackstart/{shell(commit)} FETCH_HEAD",
            f"printf '%s\\n' {shell(commit)} >{mark}.new",
            f"sync {mark}.new && mv -T {mark}.new {mark}",
            f"rm -f {shell(file)}",
        ]
    )
