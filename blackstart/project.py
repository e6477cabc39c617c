"""A service project's release: its folder below `projects/`, packed so that equal content is an equal digest.

By convention `projects/NAME/NAME.service` is the unit's template; everything else is the service's own.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import NoReturn

from blackstart.spec.fleet import Fleet

_LEFT_OUT = {"__pycache__", ".git", ".DS_Store"}


class ProjectError(Exception):
    """The project cannot be released as it is; one sentence."""


def folder(fleet_folder: Path, project: str) -> Path:
    return fleet_folder / "projects" / project


def cache_folder() -> Path:
    """Where releases lie as <sha256 hex>.tar: `$XDG_CACHE_HOME/blackstart/projects`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "blackstart" / "projects"


def pack(root: Path) -> bytes:
    """An uncompressed tar of the folder's files: sorted, owned by root, without times. Compiled Python is left out.

    Raises ProjectError for what does not travel: links that lead out of the folder, devices, sockets. OSError for what
    cannot be read.
    """
    if not root.is_dir():
        raise ProjectError(f"{root}: no such folder; a project is a folder below projects/")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(_files(root), key=lambda path: path.relative_to(root).as_posix()):
            _add(archive, root, path)
    return buffer.getvalue()


def _files(root: Path) -> list[Path]:
    def unreadable(error: OSError) -> NoReturn:
        raise error  # left to itself, os.walk passes over it: a folder that cannot be read is not an empty one

    found = []
    for base, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        here = Path(base)
        found += [here / name for name in folders]
        found += [here / name for name in files if name not in _LEFT_OUT and not name.endswith(".pyc")]
    return found


def _add(archive: tarfile.TarFile, root: Path, path: Path) -> None:
    member = tarfile.TarInfo(path.relative_to(root).as_posix())
    if path.is_symlink():
        target = path.readlink()
        if target.is_absolute() or not path.resolve().is_relative_to(root.resolve()):
            raise ProjectError(f"{path}: a link that leads out of the project to {target}; copy the file instead")
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, target.as_posix(), 0o777
        archive.addfile(member)
    elif path.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    elif path.is_file():
        content = path.read_bytes()
        # Git keeps only this bit of a mode; anything else would differ from one checkout to the next.
        member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    else:
        raise ProjectError(f"{path}: neither a file nor a folder nor a link; it cannot be released")


def digest(archive: bytes) -> str:
    """`sha256:…` of an archive: what lock.toml holds."""
    return "sha256:" + hashlib.sha256(archive).hexdigest()


def release(fleet: Fleet, fleet_folder: Path, project: str) -> bytes:
    """The archive that lock.toml names. Raises ProjectError where the folder is not (or no longer) that release."""
    locked = fleet.lock.projects.get(project)
    if locked is None:
        raise ProjectError(f"project {project} has no release yet: run `blackstart project lock {project}`")
    archive = pack(folder(fleet_folder, project))
    found = digest(archive)
    if found != locked.digest:
        raise ProjectError(
            f"projects/{project} is {found[:19]}…, lock.toml names {locked.digest[:19]}…: "
            f"run `blackstart project lock {project}` to release it as it is, or restore the folder"
        )
    return archive
