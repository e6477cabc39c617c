"""A node whose reading is given, for the operations that bring it to its spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from blackstart.live.model import Live
from operations.common import Refusal

# (host, operation, executing, wanted, arguments by name) -> the commands it yields
Run = Callable[..., list[Any]]


class Host:
    """Counts how often it is read. `only`: the parts of the last reading."""

    def __init__(self, reading: Live, has_tarball: bool = False) -> None:
        self.name, self.reading, self.reads, self.has_tarball = "node1", reading, 0, has_tarball
        self.said: list[str] = []
        self.ran: list[str] = []
        self.put: list[tuple[str, ...]] = []
        self.data: dict[str, Any] = {}
        self.only: tuple[str, ...] = ()

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def get_fact(self, fact: Any, **kwargs: Any) -> Live:
        self.reads += 1
        self.only = kwargs.get("only", ())
        return self.reading

    def run_shell_command(self, command: Any, **how: Any) -> tuple[bool, Any]:
        self.ran.append(str(command))
        self.has_tarball = self.has_tarball or "mv -T" in str(command)
        return True, SimpleNamespace(stdout="yes" if self.has_tarball else "no", stderr="")

    def put_file(self, *names: str, **how: Any) -> bool:
        self.put.append(names)
        return True


def texts(commands: Iterable[Any]) -> list[Any]:
    """What an operation yields; a refusal as the shell that says it."""
    return [str(each) if isinstance(each, Refusal) else each for each in commands]
