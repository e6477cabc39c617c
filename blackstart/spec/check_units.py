"""The units of projects: there is one, and its template uses no word that nothing is put in for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jinja2
from jinja2 import meta

from blackstart.spec.clash import container_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Problem

WORDS = ["container", "port", "project", "root"]


def units(fleet: Fleet, root: Path) -> Iterator[Problem]:
    """Every service's project has a unit that can be made for it. A project that is missing is said elsewhere."""
    for name, container in fleet.containers.items():
        for index, service in enumerate(container.services):
            folder = root / "projects" / service.project
            if folder.is_dir():
                for said in wrong(folder):
                    yield Problem(container_file(name), ("services", index, "project"), said)


def wrong(folder: Path) -> Iterator[str]:
    """What is wrong with the units in a project's folder, one sentence each."""
    services = sorted(folder.glob("*.service"))
    if not services:
        yield f"projects/{folder.name} has no unit: write the template {folder.name}.service there"
    for path in [*services, *sorted(folder.glob("*.timer"))]:
        where = f"projects/{folder.name}/{path.name}"
        try:
            used = meta.find_undeclared_variables(jinja2.Environment().parse(path.read_text()))
        except OSError as error:
            yield f"{where}: cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            yield f"{where}: is not UTF-8 text; save it as UTF-8"
        except jinja2.TemplateSyntaxError as error:
            yield f"{where}:{error.lineno}: {error.message}"
        else:
            for word in sorted(used - set(WORDS)):
                yield f"{where}: {{{{ {word} }}}} is unknown; words are: {', '.join(WORDS)}"
