"""Root images of containers: built by mmdebstrap or taken from a tarball, kept by digest in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blackstart import apt
from blackstart.spec.fleet import LockedImage
from blackstart.ssh import write_whole
from blackstart.watched import watched

Say = Callable[[str], None]

# Nobody reads manuals in a container; licences stay.
_EXCLUDE = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
)

# apt's index caches: more than the rest of a small image, and remade at will.
_NO_CACHE = ('Dir::Cache::pkgcache "";', 'Dir::Cache::srcpkgcache "";')

# Runs outside, with the root file system as $1. A name or a machine id in an image would be every container's;
# timers that fetch packages have no place in something that is made anew from a digest. A text, not a file: without
# root it is another user of mmdebstrap's namespace who runs it, and may not look into a home with mode 0700 (Debian's).
# tmp is left to mmdebstrap, which keeps apt's settings there: without them its next apt-get would clear this machine's
# own package lists.
_CUSTOMISE = r"""set -eu
cd "$1"
rm -f etc/hostname etc/resolv.conf var/lib/dbus/machine-id etc/apt/apt.conf.d/99mmdebstrap
: > etc/machine-id
: > etc/resolv.conf
rm -f etc/apt/sources.list.d/*
echo "deb http://deb.debian.org/debian $SUITE main" > etc/apt/sources.list
find etc/systemd/system -name 'apt-daily*.timer' -delete
find etc/systemd/system -name 'e2scrub*' -delete
find etc/systemd/system -name 'fstrim.timer' -delete
rm -rf var/cache/apt/* var/cache/debconf/*-old var/lib/apt/lists/* var/log/*.log var/log/apt
"""

_VERSION = 2  # raise when the building itself changes
_UNPACK = {".gz": "gzip", ".tgz": "gzip", ".xz": "xz", ".txz": "xz", ".zst": "zstd", ".bz2": "bzip2"}


class ImageError(Exception):
    """The image could not be made or found: what, and what to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the content of a built image, as far as it is ours to decide."""

    suite: str
    include: tuple[str, ...]
    architecture: str

    def digest(self) -> str:
        """Hex; equal recipes share one build."""
        parts = [self.suite, sorted(self.include), self.architecture, _EXCLUDE, _NO_CACHE, _CUSTOMISE, _VERSION]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def command(self, tarball: Path) -> list[str]:
        """mmdebstrap's command line; with root it uses that, otherwise a user namespace."""
        keyring = apt.keyring()
        return [
            "mmdebstrap",
            "--variant=minbase",
            f"--architectures={self.architecture}",
            f"--include={','.join(self.include)}",
            "--skip=output/dev",  # a container's devices are LXC's business
            "--dpkgopt=force-unsafe-io",
            *(f"--aptopt={option}" for option in _NO_CACHE),
            *(f"--dpkgopt={line}" for line in _EXCLUDE),
            *([f"--keyring={keyring}"] if keyring else []),
            *(f"--aptopt={option}" for option in apt.options()),
            f"--customize-hook=SUITE={shlex.quote(self.suite)}\n{_CUSTOMISE}",
            self.suite,
            str(tarball),
            apt.mirror(),
        ]


def cache_folder() -> Path:
    """Where tarballs lie as <sha256 hex>.tar.zst: `$XDG_CACHE_HOME/blackstart/containers`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "blackstart" / "containers"


def tarball_of(locked: LockedImage, cache: Path | None = None) -> Path:
    """The tarball of a locked image. Raises ImageError when the cache has it not (or not whole)."""
    path = (cache or cache_folder()) / f"{locked.digest.removeprefix('sha256:')}.tar.zst"
    if not path.is_file() or path.stat().st_size != locked.size:
        raise ImageError(f"image {locked.digest[:19]}… is not in {path.parent}: build or import it again")
    return path


def debian_architecture() -> str:
    """This machine's, in Debian's words. Raises ImageError where there is no dpkg to ask."""
    try:
        done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ImageError(f"dpkg does not tell this machine's architecture: {error}") from error
    return done.stdout.strip()


def build(recipe: Recipe, say: Say, cache: Path | None = None, again: bool = False) -> LockedImage:
    """The image of a recipe, from the cache if it was built before (and not `again`).

    Two builds at once: the second waits and finds the first one's. Raises ImageError with mmdebstrap's first error.
    """
    cache = cache or cache_folder()
    pointer = cache / "recipes" / f"{recipe.digest()}.json"
    with _alone(cache, say):
        found = None if again else _remembered(pointer, cache)
        if found:
            return found
        if shutil.which("mmdebstrap") is None:
            raise ImageError("mmdebstrap is missing: run `apt install mmdebstrap zstd`")
        with _workshop(cache) as new:
            tarball = new / "root.tar.zst"
            _run(recipe.command(tarball), new / "build.log", say)
            locked = _keep(tarball, cache)
        write_whole(pointer, json.dumps({"digest": locked.digest, "size": locked.size}) + "\n")
    return locked


def take(tarball: Path, say: Say, cache: Path | None = None) -> LockedImage:
    """A root file system from a tarball into the cache; recompressed with zstd where it is not.

    Raises ImageError for what is no tar, or has no init in it.
    """
    cache = cache or cache_folder()
    if not tarball.is_file():
        raise ImageError(f"{tarball}: no such file")
    with _alone(cache, say), _workshop(cache) as new:
        copy = new / "root.tar.zst"
        if tarball.suffix == ".zst":
            shutil.copyfile(tarball, copy)
        else:
            _recompress(tarball, copy)
        say(f"looking into {tarball.name}")
        _require_init(tarball, copy)
        return _keep(copy, cache)


def _recompress(source: Path, target: Path) -> None:
    """Unpack by the name's ending, pack with zstd."""
    tool = _UNPACK.get(source.suffix)
    if tool and shutil.which(tool) is None:
        raise ImageError(f"{source.name}: there is no {tool} here to unpack it; install it, or give the plain tar")
    with source.open("rb") as plain, target.open("wb") as packed:
        reader = subprocess.Popen([tool, "-dc"] if tool else ["cat"], stdin=plain, stdout=subprocess.PIPE)
        writer = subprocess.run(["zstd", "-q", "-c"], stdin=reader.stdout, stdout=packed, check=False)
        assert reader.stdout is not None
        reader.stdout.close()
        if reader.wait() or writer.returncode:
            raise ImageError(f"{source}: could not be unpacked; is it a tar archive of a root file system?")


def _require_init(source: Path, packed: Path) -> None:
    listed = subprocess.run(["tar", "--zstd", "-tf", str(packed)], capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        raise ImageError(f"{source}: not a tar archive")
    names = {name.removeprefix("./") for name in listed.stdout.splitlines()}
    if not names & {"sbin/init", "usr/sbin/init", "usr/lib/systemd/systemd", "lib/systemd/systemd"}:
        raise ImageError(f"{source}: no init in it (./sbin/init); a container's image is a whole root file system")


def _remembered(pointer: Path, cache: Path) -> LockedImage | None:
    try:
        locked = LockedImage.model_validate_json(pointer.read_text())
        tarball_of(locked, cache)
    except (OSError, ValueError, ImageError):
        return None
    return locked


def _keep(tarball: Path, cache: Path) -> LockedImage:
    """Under its digest, whole, on the disk."""
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    size = tarball.stat().st_size
    tarball.chmod(0o644)
    tarball.rename(cache / f"{digest}.tar.zst")
    return LockedImage(digest=f"sha256:{digest}", size=size)


@contextmanager
def _alone(cache: Path, say: Say) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another image build")
            fcntl.flock(handle, fcntl.LOCK_EX)
        for leftover in cache.glob("new-*"):  # of a build that was killed: its lock is ours now
            shutil.rmtree(leftover, ignore_errors=True)
        yield


@contextmanager
def _workshop(cache: Path) -> Iterator[Path]:
    """A folder beside the results; what is in it at the end goes."""
    new = Path(tempfile.mkdtemp(prefix="new-", dir=cache))
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _run(argv: list[str], log: Path, say: Say) -> None:
    code = watched(argv, log, say)
    if code:
        kept = log.replace(log.parent.parent / "failed.log")
        raise ImageError(f"{why_failed(kept.read_text(errors='replace'), code)}; its log is {kept}")


def why_failed(log: str, code: int) -> str:
    """One sentence from mmdebstrap's log: apt's first error is the cause, the later ones follow from it."""
    unknown = re.search(r"^E: The repository '(\S+) (\S+) Release' does not have a Release file", log, re.MULTILINE)
    if unknown:
        return f"the mirror {unknown[1]} has no suite {unknown[2]!r}: correct `suite` of this image in fleet.toml"
    errors = re.findall(r"^E: (.+)", log, re.MULTILINE)
    return f"mmdebstrap failed: {errors[0].rstrip('. ')}" if errors else f"mmdebstrap failed (exit code {code})"
