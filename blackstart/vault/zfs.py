"""The few zfs commands that programs on a vault run, and what they print, as data."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass


class CommandError(Exception):
    """A command failed; the text is one clause from its stderr."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`dataset` with the pool; `name` after the @ (or # of a bookmark)."""

    dataset: str
    name: str
    guid: str
    creation: int
    holds: int = 0
    bookmark: bool = False

    def __str__(self) -> str:
        return f"{self.dataset}@{self.name}"


def run(*words: str, stdin: str | None = None, within: float | None = None) -> str:
    """stdout of a command. Raises CommandError when it fails, does not exist, or does not end `within` seconds."""
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, check=False, env=_environment(), timeout=within
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{words[0]}: no answer within {within:.0f} s") from None
    except OSError as error:
        raise CommandError(f"{words[0]}: {error.strerror}") from error
    _check(words, done)
    return done.stdout


def read_through(*words: str) -> None:
    """Run a command for what it reads alone: its output, of any size, goes nowhere. Raises CommandError."""
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        done = subprocess.run(words, stdin=null, stdout=null, stderr=pipe, text=True, check=False, env=_environment())
    except OSError as error:
        raise CommandError(f"{words[0]}: {error.strerror}") from error
    _check(words, done)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def _check(words: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise CommandError("; ".join(said) or f"{words[0]} ended with status {done.returncode}")


def parse_snapshot(line: str) -> Snapshot:
    """A line of `zfs list -Hp -t snapshot,bookmark -o name,guid,creation[,userrefs]`. Raises ValueError."""
    name, guid, creation, *holds = line.split("\t")
    mark = "@" if "@" in name else "#"
    dataset, found, short = name.partition(mark)
    if not found or not guid.isdigit():
        raise ValueError(f"{line!r} is not a snapshot")
    return Snapshot(dataset, short, guid, int(creation), int(holds[0]) if holds else 0, mark == "#")


def snapshots(root: str) -> list[Snapshot]:
    """All snapshots below `root`, oldest first. Raises CommandError, ValueError."""
    columns = "name,guid,creation,userrefs"
    text = run("zfs", "list", "-Hp", "-r", "-t", "snapshot", "-s", "createtxg", "-o", columns, root)
    return [parse_snapshot(line) for line in text.splitlines()]


def tags(have: Iterable[Snapshot]) -> dict[str, set[str]]:
    """str(snapshot) -> the tags of its holds, for those that carry any. Raises CommandError, ValueError."""
    held = [str(item) for item in have if item.holds]
    return parse_tags(run("zfs", "holds", "-H", *held)) if held else {}


def parse_tags(text: str) -> dict[str, set[str]]:
    """Lines of `zfs holds -H`: name, tag, date. Raises ValueError."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        name, tag, _ = line.split("\t", 2)
        found.setdefault(name, set()).add(tag)
    return found


def receiving(root: str) -> dict[str, str]:
    """Datasets below `root` -> the token of a receive that was cut off there, "" for none. Raises CommandError."""
    text = run("zfs", "list", "-Hp", "-r", "-t", "filesystem,volume", "-o", "name,receive_resume_token", root)
    return {name: "" if token == "-" else token for name, token in (line.split("\t") for line in text.splitlines())}


def clones(root: str) -> dict[str, str]:
    """Snapshots below `root` that clones were made of -> those, with commas. Raises CommandError."""
    text = run("zfs", "list", "-Hp", "-r", "-t", "snapshot", "-o", "name,clones", root)
    found = (line.split("\t") for line in text.splitlines())
    return {name: made for name, made in found if made not in ("", "-")}


def gone(said: str) -> bool:
    """Whether `zfs send -nt TOKEN` said that what the token means is gone from the sender, not that it failed."""
    words = ("no longer exists", "no longer the same snapshot", "does not exist", "corrupt")
    return any(each in said for each in words)
