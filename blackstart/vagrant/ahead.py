"""What a rehearsal in a network of its own cannot fetch: it is in the user's cache before it begins."""

from __future__ import annotations

from pathlib import Path

from blackstart import image as containers
from blackstart.lab import LabError
from blackstart.progress import progress
from blackstart.spec.load import load_fleet
from blackstart.vault import libraries
from blackstart.vault.python import Target

from . import box

# The Python of the lab's image, Debian 13: the libraries of a vault are made for it.
_PYTHON = Target(minor=13, machine="x86_64", glibc=41)


def fetch(fleet: Path) -> None:
    """The box, the tool's libraries, and the images of the containers of `fleet`. Raises LabError."""
    box.ensure()
    try:
        with progress("fetching ahead") as task:
            libraries.archive(_PYTHON)
            for wanted in load_fleet(fleet).settings.images.values():
                if wanted.suite is not None:
                    architecture = containers.debian_architecture()
                    containers.build(containers.Recipe(wanted.suite, wanted.include, architecture), task.says)
    except (libraries.LibrariesError, containers.ImageError) as error:
        raise LabError(str(error)) from error
