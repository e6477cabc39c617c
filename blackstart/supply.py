"""What hosts get by digest (images, releases): kept in the user's cache, proven whenever it gets in or is taken out."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from blackstart.project import cache_folder as releases_folder
from blackstart.restore.outline import round_size
from blackstart.vault import layout

Say = Callable[[str], None]
SECONDS = 5.0  # between two lines about one download
ABANDONED = 86400  # seconds after which nobody writes into a half file any more


class SupplyError(Exception):
    """It is nowhere, or not what its digest says; one sentence with the next command."""


@dataclass(frozen=True, slots=True)
class Supply:
    """`what`: for people. `name`: of the file, the same in `cache` here and in `folder` on a vault."""

    what: str
    name: str
    sha256: str
    cache: Path
    folder: str
    otherwise: str  # what else can be done, a clause

    @property
    def path(self) -> Path:
        return self.cache / self.name


def image(name: str, sha256: str, cache: Path) -> Supply:
    """A container image's tarball."""
    otherwise = f"`blackstart image build {name}` or `blackstart image import` makes another one, for site.py"
    return Supply(f"image {name}", f"{sha256}.tar.zst", sha256, cache, layout.IMAGES, otherwise)


def release(project: str, sha256: str) -> Supply:
    """A project's release."""
    otherwise = f"`blackstart project lock {project}` releases the folder as it is, for site.py"
    return Supply(f"release of {project}", f"{sha256}.tar", sha256, releases_folder(), layout.PROJECTS, otherwise)


def package(path: str, sha256: str) -> Supply:
    """A Debian package that a vault keeps."""
    cache = releases_folder().parent / "packages"
    otherwise = "`systemctl start blackstart-packages` on a vault that reaches a mirror fetches it again"
    return Supply(f"package {path}", f"{sha256}.deb", sha256, cache, layout.PACKAGES, otherwise)


def is_proven(path: Path, sha256: str) -> bool:
    """Whether the file is there, whole. Raises OSError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def nowhere(supply: Supply, looked: list[str]) -> str:
    """The sentence for what could not be found; `looked`: each place with what it said."""
    return (
        f"{supply.what} (sha256:{supply.sha256}) was not found: {'; '.join(looked)}. Next: run "
        f"`pyinfra inventory deploys/vault.py` on the machine that has it; {supply.otherwise}"
    )


class Arrival:
    """A file object that something is written into, beside `path`; only `keep` puts it there. Dropped otherwise.

    `size` in bytes is for the lines that `say` gets; 0: not known.
    """

    def __init__(self, path: Path, what: str, size: int = 0, say: Say | None = None) -> None:
        self._path, self._what, self._size, self._say = path, what, size, say
        self._hash, self._done = hashlib.sha256(), 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Arrival:
        beside = f".{self._path.name[:12]}."
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for left in self._path.parent.glob(f"{beside}*"):  # by a run that was killed
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink(missing_ok=True)
        descriptor, self._temporary = tempfile.mkstemp(dir=self._path.parent, prefix=beside)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        Path(self._temporary).unlink(missing_ok=True)

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._done += len(data)
        now = time.monotonic()
        if self._say and now - self._said >= SECONDS:
            self._said = now
            self._say(self._progress(now))
        return self._file.write(data)

    def _progress(self, now: float) -> str:
        of = f" of {round_size(self._size)}" if self._size else ""
        return f"{self._what}: {round_size(self._done)}{of}, {round_size(int(self._done / (now - self._began)))}/s"

    def read(self, size: int = -1) -> bytes:
        """pyinfra takes for a file what can be read and be set to its start; nothing is read here."""
        raise OSError("only written")

    def seek(self, offset: int) -> int:
        if offset or self._done:
            raise OSError("only written, once")
        return 0

    def keep(self, sha256: str) -> Path:
        """In place, whole, on the disk. Raises SupplyError when its digest is another one."""
        found = self._hash.hexdigest()
        if found != sha256:
            raise SupplyError(f"what arrived is sha256:{found[:12]}…, {self._done} bytes")
        self._file.flush()
        os.fsync(self._file.fileno())
        Path(self._temporary).chmod(0o644)
        Path(self._temporary).replace(self._path)
        return self._path


def put(path: Path, content: bytes, sha256: str) -> Path:
    """Content that is here already, into the cache. Raises SupplyError, OSError."""
    with Arrival(path, path.name) as arrival:
        arrival.write(content)
        return arrival.keep(sha256)
