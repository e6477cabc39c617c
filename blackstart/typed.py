"""The next command as the person at the terminal types it: whoever began with `blackstart` goes on with it."""

from __future__ import annotations

import os
import shlex

from blackstart.change import shell

MARK = "BLACKSTART_TYPED"  # in the environment of the pyinfra that a `blackstart` command runs
_BOOTSTRAP = ["pyinfra", "inventory", "deploys/bootstrap.py", "--limit"]


def by_blackstart() -> bool:
    """Whether this pyinfra was started by a `blackstart` command, which asks before it runs it."""
    return MARK in os.environ


def as_rebuild(command: str) -> str:
    """`blackstart rebuild NODE ...`, which asks for the node's name, for bootstrap.py's line; any other as it is."""
    if not command.startswith(" ".join(_BOOTSTRAP)):
        return command
    node, *data = shlex.split(command)[len(_BOOTSTRAP) :]
    pairs = [pair.partition("=") for pair in data[1::2]]
    if set(data[::2]) - {"--data"} or {key for key, _, _ in pairs} - {"at", "disks", "vault", "without"}:
        return command  # says something that `blackstart rebuild` has no option for
    return shell("blackstart", "rebuild", node, *(word for key, _, value in pairs for word in (f"--{key}", value)))


def following(command: str) -> str:
    """What to print as the next command of this run."""
    return as_rebuild(command) if by_blackstart() else command
