"""A node whose reading is given, for the operations that bring it to its spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blackstart.live.model import Live

# (host, operation, executing, wanted, arguments by name) -> the commands it yields
Run = Callable[..., list[Any]]


class Host:
    """Counts how often it is read. `only`: the parts of the last reading, none for all of them."""

    def __init__(self, reading: Live, has_tarball: bool = False) -> None:
        self.name, self.reading, self.reads, self.has_tarball = "node1", reading, 0, has_tarball
        self.said: list[str] = []
        self.only: tuple[str, ...] = ()

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def get_fact(self, fact: Any, **kwargs: Any) -> Live:
        self.reads += 1
        self.only = kwargs.get("only", ())
        return self.reading

    def run_shell_command(self, command: str) -> tuple[bool, list[str]]:
        return self.has_tarball, []
