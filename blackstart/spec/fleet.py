"""The fleet: what is common to all nodes, and the whole of it once every file is read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from blackstart.spec.container import Container
from blackstart.spec.node import Node, Replication
from blackstart.spec.types import Digest, Duration, Model, Name, Package, Port, RelativePath


class Image(Model):
    """A container root image: built by mmdebstrap from `suite` and `include`, or imported from `tarball`."""

    suite: Name | None = None
    include: tuple[Package, ...] = ()
    tarball: RelativePath | None = None

    @model_validator(mode="after")
    def _one(self) -> Image:
        if (self.suite is None) == (self.tarball is None):
            raise ValueError("an image has exactly one of 'suite', 'tarball'")
        return self


class Heartbeat(Model):
    """How often a node says that it lives."""

    period: Duration = "60s"  # type: ignore[assignment]


class Defaults(Model):
    """`[defaults.container]` holds values for any key of a container file that does not name it."""

    container: dict[str, Any] = {}
    heartbeat: Heartbeat = Heartbeat()


class Settings(Model):
    """fleet.toml."""

    format: Literal[1]
    name: Name
    defaults: Defaults = Defaults()
    replication: Replication = Replication()
    images: dict[Name, Image] = {}
    ports: tuple[Port, Port] = (8100, 8999)  # the range of derived service ports


class LockedImage(Model):
    """An image's content, as built: the digest of its tarball and the size in bytes."""

    digest: Digest
    size: int = Field(ge=0)


class LockedProject(Model):
    """A project's release: the digest of its archive."""

    digest: Digest


class Lock(Model):
    """lock.toml: written by `blackstart image` and `blackstart project`, never by hand."""

    format: Literal[1] = 1
    images: dict[Name, LockedImage] = {}
    projects: dict[Name, LockedProject] = {}


class Fleet(Model):
    """Every file of the fleet, loaded and valid one by one; `spec check` looks at them together."""

    settings: Settings
    nodes: dict[Name, Node]
    containers: dict[Name, Container]
    lock: Lock = Lock()
