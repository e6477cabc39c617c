"""The line of every key of a TOML text. Python's `tomllib` reads values without their places.

Only for text that `tomllib` has accepted: the scanner relies on that and checks nothing.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right

from blackstart.spec.problem import Key

_BLANK = " \t\r\n"
_BARE_END = ",]}#\n"


def locate(text: str) -> dict[Key, int]:
    """Key path -> line (from 1). A table's line is where it is first named; list items have their index in the path."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self._starts = [0] + [index + 1 for index, letter in enumerate(text) if letter == "\n"]
        self._arrays: dict[Key, int] = {}  # arrays of tables: how many items so far

    def document(self) -> None:
        """The whole text: headers of tables and keys with values."""
        here: Key = ()
        while self._skip():
            if self.text.startswith("[[", self.at):
                here = self._header(2)
            elif self.text[self.at] == "[":
                here = self._header(1)
            else:
                self._assignment(here)

    def _header(self, brackets: int) -> Key:
        line = self._line()
        self.at += brackets
        parts = self._key()
        self.at += brackets
        here = self._enter((), parts[:-1], line)
        if brackets == 1:
            return self._enter(here, parts[-1:], line)
        array = (*here, parts[-1])
        self.lines.setdefault(array, line)
        self._arrays[array] = self._arrays.get(array, 0) + 1
        item = (*array, self._arrays[array] - 1)
        self.lines[item] = line
        return item

    def _enter(self, here: Key, parts: list[str], line: int) -> Key:
        """Go down to a table; through an array of tables that means its last item."""
        for part in parts:
            here = (*here, part)
            self.lines.setdefault(here, line)
            if here in self._arrays:
                here = (*here, self._arrays[here] - 1)
        return here

    def _assignment(self, here: Key) -> None:
        line = self._line()
        path = here
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._skip()
        self.at += 1  # the equals sign
        self._skip()
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip()
            start = self.at
            if self.text[start] in "\"'":
                self._string()
                parts.append(_unquote(self.text[start : self.at]))
            else:
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._skip()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _value(self, path: Key) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._inline(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in _BARE_END:
                self.at += 1

    def _list(self, path: Key) -> None:
        self.at += 1
        index = 0
        while self._skip() and self.text[self.at] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            item = (*path, index)
            self.lines[item] = self._line()
            self._value(item)
            index += 1
        self.at += 1

    def _inline(self, path: Key) -> None:
        self.at += 1
        while self._skip() and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._assignment(path)
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        long = self.text.startswith(quote * 3, self.at)
        self.at += 3 if long else 1
        end = quote * 3 if long else quote
        while not self.text.startswith(end, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(end)
        while long and self.text.startswith(quote, self.at):
            self.at += 1  # up to two quotes may stand before the closing three

    def _skip(self) -> bool:
        """Over blanks and comments. False at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in _BLANK:
                self.at += 1
            else:
                return True
        return False

    def _line(self) -> int:
        return bisect_right(self._starts, self.at)


def _unquote(quoted: str) -> str:
    (value,) = tomllib.loads(f"value = {quoted}").values()
    return str(value)
