"""The tool's second layer on a vault: the libraries that requirements.lock names, unpacked for the vault's own Python.

They are fetched by the controller, since a vault may have no way to an index of packages.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import blackstart
from blackstart.change import shell
from blackstart.supply import put
from blackstart.vault import layout
from blackstart.vault.bundle import pack, tree
from blackstart.vault.python import Target, short
from blackstart.vault.upload import cleared, scratch

SECONDS = 900
CANNOT = "it replicates, keeps and restores, but `blackstart` and pyinfra cannot be run on it"


class LibrariesError(Exception):
    """The libraries could not be had; one clause."""


def lock_file() -> Path:
    return Path(blackstart.__file__).parents[1] / "requirements.lock"


def name(lock: bytes, target: Target) -> str:
    """Of the folder on the vault: equal locks and Pythons share it."""
    return f"{short(lock)}-cp3{target.minor}-{target.machine}"


def command(lock: Path, target: Target, into: Path) -> list[str]:
    """pip that unpacks wheels for another Python than the one it runs on. The lock is whole: nothing is resolved."""
    return [
        *(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"),
        *("--implementation", "cp", "--python-version", f"3.{target.minor}"),
        *(word for tag in target.platforms() for word in ("--platform", tag)),
        *("--target", str(into), "-r", str(lock)),
    ]


def archive(target: Target) -> Path:
    """The layer as .tar.gz, made once per lock and Python and kept in the user's cache. Raises LibrariesError."""
    lock = lock_file()
    try:
        path = _cache() / f"{name(lock.read_bytes(), target)}.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path if path.is_file() else _make(lock, target, path)
    except OSError as error:
        raise LibrariesError(f"{error.filename}: {error.strerror}") from error


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "blackstart" / "libraries"


def _make(lock: Path, target: Target, path: Path) -> Path:
    own = _own(name(lock.read_bytes(), target))
    with tempfile.TemporaryDirectory(prefix="new-", dir=path.parent) as new:
        if own is None:
            _unpack(command(lock, target, Path(new)))
        found = tree(own or Path(new), own or Path(new))
        packed = pack({file: content for file, content in found if not file.startswith("bin/")})
    return put(path, packed.archive, hashlib.sha256(packed.archive).hexdigest())


def _own(name: str) -> Path | None:
    """On a vault: the layer that this very run stands on, where another vault needs the same."""
    jinja = find_spec("jinja2")
    folder = Path(jinja.origin).resolve().parents[1] if jinja and jinja.origin else None
    return folder if folder and folder == Path(layout.LIBRARIES) / name else None


def _unpack(pip: list[str]) -> None:
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise LibrariesError(f"pip took longer than {SECONDS} s") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise LibrariesError(f"pip: {said[-1] if said else 'failed without a word'}")


def install(name: str, file: str, sha256: str) -> str:
    """Shell that proves the archive, unpacks it beside what is there and links it by its lock. Repeatable.

    Nothing is compiled: root's own runs do that, for what they use.
    """
    root = layout.LIBRARIES
    final, link = shell(f"{root}/{name}"), shell(f"{root}/{name.split('-')[0]}")
    return "\n".join(
        [
            "set -e; umask 022",
            f"printf '%s  %s\\n' {shell(sha256)} {shell(file)} | sha256sum -c --quiet -",
            f"{shell('mkdir', '-p', root)} && {cleared(root)}",
            scratch(root),
            f"if [ ! -e {final} ]; then",
            '  mkdir "$new/layer"',
            f'  tar -xzf {shell(file)} --no-same-owner -C "$new/layer"',
            '  sync -f "$new"',
            f'  mv -T "$new/layer" {final} || [ -e {final} ] # somebody else brought it meanwhile',
            "fi",
            f'ln -s {shell(name)} "$new/link"',
            f'mv -T "$new/link" {link}',
            f"rm -f {shell(file)}",
        ]
    )
