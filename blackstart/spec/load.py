"""The fleet's folder -> `Fleet`. Everything that is wrong is said at once, with file, key and line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from blackstart.spec.container import Container
from blackstart.spec.explain import explain
from blackstart.spec.fleet import Fleet, Lock, Settings
from blackstart.spec.locate import locate
from blackstart.spec.node import Node
from blackstart.spec.problem import Key, Problem, SpecError, nearest
from blackstart.spec.types import FORMAT, Model, Name
from blackstart.spec.waiver import Waivers

M = TypeVar("M", bound=Model)

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
# What tomllib stumbles over in `sudo = yes`, in a name without quotes or with curly ones, and in a bare address.
_PLAIN = '; text stands in straight quotes, "like this"; yes or no is written true or false'
_FOLDERS = ("nodes", "containers")
_FILES = ("fleet", "lock", "waivers")
_LIKE = 0.8  # from difflib: `waiver`, `locks`, `fleets` are above it, `clock` begins with another letter
_DEFAULTS: Key = ("defaults", "container")


def fleet_path() -> Path:
    """The fleet's folder: the environment's BLACKSTART_FLEET, or `inventory` in the current folder."""
    return Path(os.environ.get("BLACKSTART_FLEET") or "inventory")


@dataclass(frozen=True)
class Sources:
    """Where every key of every file stands: file (relative to the fleet) -> key path -> line."""

    root: Path
    lines: dict[str, dict[Key, int]] = field(default_factory=dict)

    def place(self, problem: Problem) -> Problem:
        """The same problem with the line of its key, or of the nearest table around it that is written down."""
        lines = self.lines.get(problem.file, {})
        for length in range(len(problem.key), 0, -1):
            line = lines.get(problem.key[:length])
            if line is not None:
                return Problem(problem.file, problem.key, problem.text, line)
        return problem


def load_fleet(path: Path) -> Fleet:
    """Read and validate every file of the fleet. Raises SpecError with all problems.

    Each file is valid by itself afterwards; `blackstart.spec.check.check` looks at them together.
    """
    return read_fleet(path)[0]


def read_fleet(path: Path) -> tuple[Fleet, Sources]:
    """The fleet, and the lines of its keys for further checks. Raises SpecError with all problems."""
    return _Reader(path).fleet()


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = Sources(root)
        self.problems: list[Problem] = []
        self.defaults: dict[str, Any] = {}

    def fleet(self) -> tuple[Fleet, Sources]:
        self.problems += _strays(self.root, "", rf"(?i){'|'.join(_FILES)}")
        self.problems += _near_names(self.root)
        self.problems += _stray_folders(self.root)
        if not (self.root / "fleet.toml").is_file():
            said = "no fleet here: the file is missing; set BLACKSTART_FLEET to the folder that has it"
            raise SpecError(self.problems or [Problem(str(self.root / "fleet.toml"), (), said)])
        settings = self._settings()
        nodes = dict(self._folder("nodes", Node))
        containers = dict(self._folder("containers", Container))
        lock, waivers = self._optional("lock.toml", Lock), self._optional("waivers.toml", Waivers)
        if self.problems or settings is None or lock is None or waivers is None:
            unique = dict.fromkeys(self.problems)
            raise SpecError(sorted(unique, key=lambda problem: (problem.file, problem.line or 0)))
        fleet = Fleet(settings=settings, nodes=nodes, containers=containers, lock=lock, waivers=waivers.waivers)
        return fleet, self.sources

    def _settings(self) -> Settings | None:
        data = self._read("fleet.toml")
        if data is None:
            return None
        settings = self._validate("fleet.toml", Settings, data)
        defaults = data.get("defaults", {})
        container = defaults.get("container", {}) if isinstance(defaults, dict) else {}
        if isinstance(container, dict):
            self.defaults = container
            # Defaults are judged here once, also while there is no container that takes them over.
            self._validate("fleet.toml", Container, {"format": FORMAT, "node": "node1"} | container, _DEFAULTS)
        return settings

    def _optional(self, file: str, model: type[M]) -> M | None:
        """A file that need not be there: then it says nothing. None, with problems noted, when it cannot be used."""
        if not (self.root / file).exists():
            return model()
        data = self._read(file)
        return None if data is None else self._validate(file, model, data)

    def _folder(self, folder: str, model: type[M]) -> Iterator[tuple[str, M]]:
        try:
            if (self.root / folder).exists():
                next((self.root / folder).iterdir(), None)  # glob() takes what it may not read for empty
        except OSError as error:
            self.problems.append(Problem(folder, (), f"cannot be read: {error.strerror}"))
        self.problems += _strays(self.root, folder)
        self.problems += _nested(self.root, folder)
        for path in sorted((self.root / folder).glob("*.toml")):
            file = f"{folder}/{path.name}"
            try:
                TypeAdapter(Name).validate_python(path.stem)
            except ValidationError as error:
                said = explain(error.errors()[0], model, {}).text
                self.problems.append(Problem(file, (), f"the file's name is the name of the {folder[:-1]}: {said}"))
                continue
            data = self._read(file)
            value = None if data is None else self._validate(file, model, data)
            if value is not None:
                yield path.stem, value

    def _read(self, file: str) -> dict[str, Any] | None:
        """The file's tables; None, with a problem noted, when it is no TOML or of a format not ours."""
        try:
            text = (self.root / file).read_bytes().decode()
            if text.startswith("\ufeff"):
                said = "begins with a byte order mark (BOM); save it as UTF-8 without one"
                self.problems.append(Problem(file, (), said, 1))
                return None
            data = tomllib.loads(text)
            self.sources.lines[file] = locate(text)
        except RecursionError:
            self.problems.append(Problem(file, (), "is nested too deeply to be read"))
            return None
        except OSError as error:
            self.problems.append(Problem(file, (), f"cannot be read: {error.strerror}"))
            return None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.problems.append(Problem(file, (), "is not UTF-8 text; save it as UTF-8", line))
            return None
        except tomllib.TOMLDecodeError as error:
            self.problems.append(_syntax(file, str(error), text))
            return None
        problem = format_problem(file, data)
        if problem:
            self.problems.append(self.sources.place(problem))
            return None
        return data

    def _validate(self, file: str, model: type[M], data: dict[str, Any], prefix: Key = ()) -> M | None:
        """A model of the data; None, with every problem noted, when it does not fit."""
        merged = _under(self.defaults, data) if model is Container and not prefix else data
        try:
            return model.model_validate(merged)
        except ValidationError as error:
            for detail in error.errors():
                if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
                    continue  # pydantic counts only valid items; what is wrong with the others is said by itself
                problem = explain(detail, model, merged)
                if model is Container and not prefix and _inherited(problem.key, data, self.defaults):
                    where = Problem("fleet.toml", _DEFAULTS + problem.key, problem.text)
                else:
                    where = Problem(file, prefix + problem.key, problem.text)
                self.problems.append(self.sources.place(where))
            return None


def _strays(root: Path, folder: str, names: str = r"[^.].*") -> Iterator[Problem]:
    """Files that are meant for us and would not be read: `node2.tml`, `node2.TOML`, `node2`, `node2.yaml`.

    `names`: a pattern.
    """
    for path in sorted(each for each in (root / folder).glob("*") if each.is_file()):
        ending = path.suffix.lower().lstrip(".")
        where = path.relative_to(root).as_posix()
        if ending in ("yaml", "yml") and re.fullmatch(names, path.stem):
            yield Problem(where, (), f"would not be read: it is YAML; write it as TOML, in {path.stem.lower()}.toml")
            continue
        meant = nearest(ending, ["toml"]) if ending else re.fullmatch(r"[a-z][a-z0-9-]*", path.name)
        if meant and path.suffix != ".toml" and not ending.endswith("~") and re.fullmatch(names, path.stem):
            said = f"would not be read: its name does not end in .toml; rename it to {path.stem}.toml"
            yield Problem(where, (), said)


def _near_names(root: Path) -> Iterator[Problem]:
    """Files beside fleet.toml that are meant as one of the fleet's own: `waiver.toml`, `locks.toml`, `Fleet.toml`."""
    for path in sorted(each for each in root.glob("*.toml") if each.is_file() and each.stem not in _FILES):
        stem = path.stem.lower()
        for name in _FILES:
            if stem[0] == name[0] and SequenceMatcher(None, stem, name).ratio() > _LIKE:
                said = f"would not be read: the file's name is {name}.toml; rename it, or take it away"
                yield Problem(path.name, (), said)


def _nested(root: Path, folder: str) -> Iterator[Problem]:
    """Specs in folders of their own: `containers/web/x.toml`. Hidden folders are some other tool's."""
    for path in sorted((root / folder).rglob("*.toml")):
        below = path.relative_to(root / folder).parts
        if len(below) > 1 and path.is_file() and not any(part.startswith(".") for part in below):
            said = f"would not be read: only files right in {folder}/ are; move it to {folder}/{path.name}"
            yield Problem(path.relative_to(root).as_posix(), (), said)


def _stray_folders(root: Path) -> Iterator[Problem]:
    """Folders that are meant as one of ours and would not be read: `container`, `Nodes`."""
    for path in sorted(each for each in root.glob("*") if each.is_dir() and each.name not in _FOLDERS):
        meant = next((name for name in _FOLDERS if path.name.lower() in (name, name[:-1])), "")
        if meant and any(path.glob("*.toml")):
            yield Problem(path.name, (), f"would not be read: the folder's name is {meant}; move its files there")


def format_problem(file: str, data: dict[str, Any]) -> Problem | None:
    """What is wrong with a file's `format`, before anything else of it is judged."""
    found = data.get("format")
    if "format" not in data:
        return Problem(file, (), f"'format' is missing; write `format = {FORMAT}` as the first line")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        return Problem(file, ("format",), f"found {found!r}, expected the number {FORMAT}")
    if found > FORMAT:
        said = f"format {found} is newer than this blackstart reads ({FORMAT}); use a newer blackstart"
        return Problem(file, ("format",), said)
    return None


def _syntax(file: str, said: str, text: str) -> Problem:
    match = _AT_LINE.search(said)
    line = int(match[1]) if match else text.count("\n") + 1
    said = _AT_LINE.sub("", said).replace(" (at end of document)", "")
    hint = _PLAIN if said.startswith(("Invalid value", "Expected newline or end of document after a statement")) else ""
    return Problem(file, (), f"not valid TOML: {said}{hint}", line)


def _under(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` with what it does not say taken from `defaults`; tables are merged, lists are replaced."""
    merged = dict(defaults)
    for key, value in own.items():
        base = merged.get(key)
        merged[key] = _under(base, value) if isinstance(base, dict) and isinstance(value, dict) else value
    return merged


def _inherited(key: Key, own: Any, defaults: Any) -> bool:
    """True when the value at `key` stands in the defaults and the file itself does not say it."""
    return _has(key, defaults) and not _has(key, own)


def _has(key: Key, value: Any) -> bool:
    for part in key:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(key)
