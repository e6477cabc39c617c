"""The projects of a fleet, and how a new one comes in: a folder below `projects/` with a unit's template in it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from blackstart.project import ProjectError, digest, folder, pack
from blackstart.spec.check_units import wrong
from blackstart.spec.fleet import Fleet
from blackstart.spec.resolve import service_port
from blackstart.spec.types import Grammar, Name

State = Literal["released", "changed", "not released", "missing"]

_UNIT = """\
# A template: {{{{ project }}}}, {{{{ container }}}}, {{{{ port }}}} and {{{{ root }}}} (the release) are filled in.
[Unit]
Description={{{{ project }}}} in {{{{ container }}}}
After=network.target

[Service]
Environment=PORT={{{{ port }}}}
ExecStart={command}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A container that runs the project. `port`: what it listens on."""

    container: str
    node: str
    port: int


@dataclass(frozen=True, slots=True)
class Project:
    """`digest`: of the release in lock.toml, "" for none. `state`: how the folder stands to it. `why`: what is wrong.

    `size`: bytes of the folder as it would be released; 0 where that cannot be told. `units`: their file names.
    """

    name: str
    digest: str
    state: State
    units: tuple[str, ...]
    size: int
    used: tuple[Use, ...]
    why: str = ""


def projects(fleet: Fleet, root: Path) -> list[Project]:
    """Those that have a folder, a release, or a container that runs them. Raises OSError."""
    there = {path.name for path in root.glob("projects/*") if path.is_dir() and not path.name.startswith(".")}
    return [one(fleet, root, name) for name in sorted({*there, *fleet.lock.projects, *_uses(fleet)})]


def one(fleet: Fleet, root: Path, name: str) -> Project:
    """How one stands. Raises OSError."""
    place, locked = folder(root, name), fleet.lock.projects.get(name)
    known = locked.digest if locked else ""
    used = tuple(_uses(fleet).get(name, ()))
    if not place.is_dir():
        return Project(name, known, "missing", (), 0, used, f"projects/{name} is not there")
    units = tuple(sorted(path.name for kind in ("*.service", "*.timer") for path in place.glob(kind)))
    problem = next(wrong(place), "")
    try:
        archive = pack(place)
    except ProjectError as error:
        return Project(name, known, "changed" if known else "not released", units, 0, used, str(error))
    state: State = "not released" if not known else "released" if digest(archive) == known else "changed"
    return Project(name, known, state, units, len(archive), used, problem)


def _uses(fleet: Fleet) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for name, container in sorted(fleet.containers.items()):
        for service in container.services:
            port = service_port(fleet.settings, name, service.project, service.port)
            found.setdefault(service.project, []).append(Use(name, container.node, port))
    return found


def add(root: Path, name: str, source: Path | None, command: str | None) -> Path:
    """Make projects/NAME out of a copy of `source`; a unit that runs `command` where it brings none. Its folder.

    The folder appears whole or not at all. Raises ProjectError, OSError.
    """
    grammar: Grammar = get_args(Name)[1]
    if not re.fullmatch(grammar.regex, name):
        raise ProjectError(f"{name!r} is not {grammar.what}")
    place = folder(root, name)
    if place.exists():
        raise ProjectError(f"{place} is there already; change it, then: blackstart project lock {name}")
    fresh = place.with_name(f".{name}.new")
    if fresh.exists():  # of a run that was killed
        shutil.rmtree(fresh)
    try:
        if source is None:
            fresh.mkdir(parents=True)
        else:
            pack(source)  # what does not travel is said before anything is copied
            shutil.copytree(source, fresh, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".git", "*.pyc"))
        _unit(fresh, name, command)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


def _unit(place: Path, name: str, command: str | None) -> None:
    if any(place.glob("*.service")):
        if command:
            raise ProjectError("it brings a unit of its own: --command would change nothing")
        return
    if not command:
        raise ProjectError("it brings no unit: say what it runs, like --command '/usr/bin/python3 {{ root }}/app.py'")
    if "\n" in command:
        raise ProjectError("--command is one line, as behind ExecStart=")
    (place / f"{name}.service").write_text(_UNIT.format(command=command), encoding="utf-8")
    for said in wrong(place):
        raise ProjectError(said.replace(f"projects/{place.name}/", ""))
