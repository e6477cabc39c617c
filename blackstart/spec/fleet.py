"""The fleet: what is common to all nodes, and the whole of it once every file is read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictInt, model_validator

from blackstart.announce.places import Severity
from blackstart.spec.container import Container
from blackstart.spec.node import Node, Replication
from blackstart.spec.types import Digest, Duration, Model, Name, Package, Port, RelativePath, SecretRef, written
from blackstart.spec.waiver import Waiver


class Image(Model):
    """A container root image: built by mmdebstrap from `suite` and `include`, or imported from `tarball`."""

    suite: Name | None = None
    """Debian's release, to build from"""
    include: tuple[Package, ...] = ()
    """packages beside the essential ones"""
    tarball: RelativePath | None = None
    """instead of building: a file of the fleet's folder"""

    @model_validator(mode="after")
    def _one(self) -> Image:
        if (self.suite is None) == (self.tarball is None):
            raise ValueError("an image has exactly one of 'suite', 'tarball'")
        return self


class Heartbeat(Model):
    """How often a node says that it lives."""

    period: Duration = written("60s")
    """from one to the next"""
    grace: Duration = written("60s")
    """how much longer a vault waits for one before the node is late; after three times both it is silent"""
    reading_every: StrictInt = Field(default=60, ge=1, le=100_000)
    """with each so many of them, the node sends the vaults its whole reading"""


class Defaults(Model):
    """`[defaults.container]` holds values for any key of a container file that does not name it."""

    container: dict[str, Any] = {}
    """any key of a container's file"""
    heartbeat: Heartbeat = Heartbeat()
    """of every node"""


class Drift(Model):
    """When the vaults look at what they keep, and from when on a finding is announced."""

    interval: Duration = written("1h")
    """from one check to the next; two of them without a completed check are announced too"""
    sightings: StrictInt = Field(default=2, ge=1, le=100)
    """how many checks in a row must find the same before it is announced"""


class Announce(Model):
    """Whom the vaults tell."""

    urls: tuple[SecretRef, ...] = ()
    """Apprise's URLs (chat, mail, webhook), each as a reference; resolved where `deploys/vault.py` runs; told of all"""
    severity: dict[Severity, tuple[SecretRef, ...]] = {}
    """beside those: who is told of signals of a severity alone, or of nodes that fall silent"""

    @property
    def references(self) -> tuple[tuple[SecretRef, str], ...]:
        """Every reference with the severity that it is told of, "" for all of them."""
        some = ((each, name) for name, references in sorted(self.severity.items()) for each in references)
        return (*((each, "") for each in self.urls), *some)


class Settings(Model):
    """fleet.toml: what is common to all nodes and containers."""

    format: Literal[1]
    """of this file"""
    name: Name
    """of the whole fleet"""
    defaults: Defaults = Defaults()
    """for what other files leave out"""
    replication: Replication = Replication()
    """of every node that does not say otherwise"""
    drift: Drift = Drift()
    """the checks on schedule"""
    announce: Announce = Announce()
    """where their findings go, and what else people are told"""
    images: dict[Name, Image] = {}
    """root images of containers, by name"""
    ports: tuple[Port, Port] = (8100, 8999)
    """first and last of derived service ports"""


class LockedImage(Model):
    """An image's content, as built: the digest of its tarball and the size in bytes."""

    digest: Digest
    """of the tarball"""
    size: StrictInt = Field(ge=0)
    """of the tarball, in bytes"""


class LockedProject(Model):
    """A project's release: the digest of its archive."""

    digest: Digest
    """of the release's archive"""


class Lock(Model):
    """lock.toml: written by `blackstart image` and `blackstart project`, never by hand."""

    format: Literal[1] = 1
    """of this file"""
    images: dict[Name, LockedImage] = {}
    """by name"""
    projects: dict[Name, LockedProject] = {}
    """by name"""


class Fleet(Model):
    """Every file of the fleet, loaded and valid one by one; `spec check` looks at them together."""

    settings: Settings
    nodes: dict[Name, Node]
    containers: dict[Name, Container]
    lock: Lock = Lock()
    waivers: tuple[Waiver, ...] = ()
