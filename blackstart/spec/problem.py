"""What is wrong with a fleet: one sentence each, with the file, the key and the line."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Key = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """`file` is relative to the fleet's folder; `key` is the path of keys; `line` counts from 1, None: not known."""

    file: str
    key: Key
    text: str
    line: int | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {show_key(self.key)}: {self.text}" if self.key else f"{where}: {self.text}"


class SpecError(Exception):
    """The fleet cannot be used. `problems` holds everything that is wrong, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def show_key(key: Key) -> str:
    """A key path as one would write it in TOML: `mounts."/var/lib/crm".quota`, list items as `vdevs[1]`.

    List items count from 1, as a reader of the file counts them.
    """
    shown = ""
    for part in key:
        if isinstance(part, int):
            shown += f"[{part + 1}]"
        else:
            shown += ("." if shown else "") + (part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False))
    return shown


def nearest(wrong: str, valid: Iterable[str]) -> str | None:
    """The valid name most like `wrong`, None when nothing is like it."""
    close = difflib.get_close_matches(wrong.lower(), list(valid), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(wrong: str, valid: Sequence[str], what: str) -> str:
    """A clause that helps: the nearest name, or what there is to choose from."""
    near = nearest(wrong, valid)
    if near:
        return f"did you mean {near!r}?"
    if not valid:
        return f"there is no {what}"
    return f"{what}s are: {', '.join(sorted(valid))}"
