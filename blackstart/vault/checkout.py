"""A vault's own copy of the fleet, brought up to date before a command runs there.

`python3 -m blackstart.vault.checkout PROGRAM FLEET SPECS`, as the launchers call it (templates/vault/launcher.j2);
prints the folder that fleet.toml lies in. The copy is a person's to work in when no other machine is left: what was
changed in it is never overwritten. A run that is killed leaves git's locks and half-written files behind; the next one
gets over both.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BROUGHT = "FETCH_HEAD"


class CheckoutError(Exception):
    """Why no command can run over this copy, with the next command."""


class Copy:
    """The work tree `folder`. `lock`: held by whoever works on it, and by each git that a killed run left behind."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder, self.lock = folder, lock

    def git(self, *words: str, stdin: bytes = b"") -> bytes:
        """What git prints. Raises subprocess.CalledProcessError, with what it said."""
        # Nothing of git's may run on when it has ended: it would hold the lock, and locks of its own.
        words = ("git", "-C", str(self.folder), "-c", "gc.auto=0", "-c", "maintenance.auto=false", *words)
        return subprocess.run(words, input=stdin, capture_output=True, check=True, pass_fds=(self.lock,)).stdout

    def unlock(self) -> None:
        """Remove the locks of a git that was killed: those that were there before nobody was seen who could hold them.

        None of a repository's own names ends in `.lock` (git-check-ref-format(1)).
        """
        found = {path: _seen(path) for path in (self.folder / ".git").rglob("*.lock")}
        if found and not is_used(self.folder):
            for path, seen in found.items():
                if seen and _seen(path) == seen:
                    path.unlink(missing_ok=True)

    def bring(self, repository: Path, commit: str) -> str:
        """Forward to `commit`; a sentence when that cannot be. Raises CheckoutError."""
        self.unlock()
        try:
            if not (self.folder / ".git/HEAD").exists():
                self.git("init", "-q", "-b", "vault")
            self.git("fetch", "-q", str(repository), f"refs/blackstart/{commit}")
        except subprocess.CalledProcessError as error:
            raise CheckoutError(f"{_words(error)}; next: git -C {repository} fsck") from error
        if self._merged():
            return ""
        why = "is worked on by another git"
        if not is_used(self.folder):
            if self._halves_whole() and self._merged():
                return ""
            why = "has changes of its own"
        return f"{self.folder} {why} and stays as it is (brought last: {commit}); look: git -C {self.folder} status"

    def _merged(self) -> bool:
        try:
            self.git("merge", "-q", "--ff-only", BROUGHT)
        except subprocess.CalledProcessError:
            return False
        return True

    def _halves_whole(self) -> bool:
        """Whether there were files that a killed git had begun to write; they are whole then."""
        halves = [name for name in self._changed() if self._is_half(name)]
        names = os.fsencode("\0".join(halves))
        if halves:
            words = ("--pathspec-from-file=-", "--pathspec-file-nul")
            self.git("--literal-pathspecs", "checkout", "-q", BROUGHT, *words, stdin=names)
        return bool(halves)

    def _changed(self) -> list[str]:
        """What the brought commit has otherwise than the one checked out, or not yet."""
        head = ["HEAD"] if self._has_commit() else [self.git("hash-object", "-t", "tree", "--stdin").decode().strip()]
        names = self.git("diff", "--name-only", "--no-renames", "--diff-filter=d", "-z", *head, BROUGHT)
        return [name for name in os.fsdecode(names).split("\0") if name]

    def _has_commit(self) -> bool:
        try:
            return bool(self.git("rev-parse", "-q", "--verify", "HEAD"))
        except subprocess.CalledProcessError:
            return False

    def _is_half(self, name: str) -> bool:
        """Whether what is there is all in what was brought: a killed git wrote it, and nothing of it gets lost."""
        path = self.folder / name
        if path.is_symlink() or not path.is_file():
            return False
        return self.git("cat-file", "blob", f"{BROUGHT}:{name}").startswith(path.read_bytes())

    def fleet(self) -> Path:
        """The folder that fleet.toml lies in. Raises CheckoutError."""
        names = os.fsdecode(self.git("ls-files", "-z", "fleet.toml", "*/fleet.toml")).split("\0")
        if not names[0]:
            raise CheckoutError(f"no fleet.toml is checked out in {self.folder}; next: git -C {self.folder} status")
        return (self.folder / names[0]).parent


def _seen(path: Path) -> tuple[int, int] | None:
    """What tells a file from a later one of its name; None when it is gone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def is_used(folder: Path) -> bool:
    """Whether a git works in `folder`, a person's own for instance. One that cannot be looked at does."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if (process / "comm").read_text().strip() != "git":
                continue
            try:
                where = (process / "cwd").readlink()
            except PermissionError:
                return True
            if where.is_relative_to(folder) or os.fsencode(folder) in (process / "cmdline").read_bytes():
                return True
    return False


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[Copy]:
    """The copy, while no other command brings it forward; its gits hold the lock too, should this one be killed."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{folder}: another command is bringing it forward, waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield Copy(folder, lock)
    finally:
        os.close(lock)


def _words(error: subprocess.CalledProcessError) -> str:
    """git's own words, in one line."""
    said = error.stderr.decode(errors="replace") if error.stderr else f"git ended with {error.returncode}"
    return " ".join(said.split())


def main(program: str, folder: str, specs: str) -> int:
    """Exit code 1 when there is no fleet to work on."""
    os.umask(0o077)  # keys may be put there
    try:
        with alone(Path(folder).resolve()) as copy:
            said = copy.bring(Path(specs, "fleet.git"), Path(specs, "commit").read_text(encoding="utf-8").strip())
            if said:
                print(f"{program}: {said}", file=sys.stderr)
            print(copy.fleet())
    except (CheckoutError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{program}: {folder}: {_words(error)}; next: git -C {folder} status", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
