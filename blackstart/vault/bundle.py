"""The tool as a vault gets it: this checkout's own files and bzfs, in one archive named by its content.

The first layer needs nothing but Python's standard library (replication, pruning, restoring). The libraries that the
command line and the deploys need come in a second layer, beside it (libraries.py), only when they are missing.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import blackstart
from blackstart.change import shell
from blackstart.vault import layout
from blackstart.vault.upload import scratch

# Of the checkout; what is rendered, run or imported on a vault. Of inventory/ the code alone: no example, no keys.
PARTS = (
    *("blackstart", "facts", "operations", "deploys", "templates"),
    *("config.py", "inventory/hosts.py", "requirements.lock"),
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """`version`: the first 12 digits of the digest over names and contents; the same files give the same archive."""

    version: str
    archive: bytes


def version(files: dict[str, bytes]) -> str:
    """Of these files, by their path in the archive."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{len(name)} {name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:12]


def pack(files: dict[str, bytes]) -> Bundle:
    """Files by their path in the archive -> .tar.gz, byte for byte the same whenever and by whomever it is packed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return Bundle(version(files), gzip.compress(packed.getvalue(), mtime=0))


def collect() -> dict[str, bytes]:
    """This checkout's parts and bzfs as installed here. Raises FileNotFoundError when bzfs is not."""
    root = Path(blackstart.__file__).parents[1]
    found = {name: content for part in PARTS for name, content in tree(root, root / part)}
    bzfs = find_spec("bzfs_main")
    if bzfs is None or bzfs.origin is None:
        raise FileNotFoundError("bzfs is not installed here: run `make venv`")
    folder = Path(bzfs.origin).parent
    return found | dict(tree(folder.parent, folder))


def tree(root: Path, path: Path) -> list[tuple[str, bytes]]:
    """(path below `root`, content) of a file, or of every file below a folder; what Python compiles is left out."""
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        (str(each.relative_to(root)), each.read_bytes())
        for each in paths
        if each.is_file() and "__pycache__" not in each.parts and each.suffix != ".pyc"
    ]


def install(version: str) -> str:
    """Shell that unpacks the archive on stdin beside the running version and switches the link. Repeatable.

    The version before keeps a link as well: clear.py leaves both alone.

    Compiled once, by root: the unprivileged users that run it could not write what Python compiles.
    """
    final, current, previous = (shell(f"{layout.TOOL}/{name}") for name in (version, "current", "previous"))
    return "\n".join(
        [
            "set -e; umask 022",
            scratch(layout.TOOL),
            f"if [ ! -e {final} ]; then",
            '  mkdir "$new/tool"',
            '  tar -xzf - --no-same-owner -C "$new/tool"',
            '  python3 -m compileall -q "$new/tool/blackstart/vault" "$new/tool/bzfs_main"',
            '  sync -f "$new"',
            f'  mv -T "$new/tool" {final} || [ -e {final} ] # somebody else brought it meanwhile',
            "fi",
            f"old=$(readlink {current}) || old={shell(version)}",
            f'if [ "$old" != {shell(version)} ]; then',
            f'  ln -s "$old" "$new/previous"; mv -T "$new/previous" {previous}',
            "fi",
            f'ln -s {shell(version)} "$new/current"; mv -T "$new/current" {current}',
        ]
    )
