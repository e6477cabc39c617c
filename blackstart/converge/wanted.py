"""Everything wanted of one host, as data. Pure functions make parts of it from the spec; `merge` puts them together.

One structure for nodes and vaults: deploys make it so, drift compares it, a rebuild lays it down again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from blackstart.converge import paths
from blackstart.spec.node import Vdev
from blackstart.spec.resolve import WantedDataset
from blackstart.vault.layout import ANNOUNCE, TOKEN, TOKEN_DIGEST


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file owned whole. `then`: a shell command run once after all files of a run that name it are in place."""

    content: bytes
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    then: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class WantedUser:
    home: str
    shell: str = "/bin/sh"
    groups: tuple[str, ...] = ()
    system: bool = True


@dataclass(frozen=True, slots=True)
class WantedUnit:
    """`restart_on`: paths of wanted files; a change of one of them restarts the unit (or container) once."""

    enabled: bool = True
    active: bool | None = True  # None: not our business (a oneshot, a timer's service)
    restart_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedContainer:
    """`lxc@NAME`: its files are wanted files; here is what starts it, and when.

    `datasets` must be mounted as named; `after` are containers whose probe script must succeed first.
    """

    rootfs: str  # dataset
    image: str | None  # dataset to clone from (rootfs = image) or to copy from (persistent), None: not in lock.toml
    clone: bool
    datasets: tuple[tuple[str, str], ...]  # (dataset, mountpoint on the host)
    autostart: bool
    priority: int
    after: tuple[str, ...]
    restart_on: tuple[str, ...]  # paths of wanted files (config, units): a change restarts this container alone

    @property
    def beside(self) -> str:
        """The dataset of a new clone until it gets the root's name; "" where there is none to make.

        No container's name has a dot: it is nobody else's. Each image has its own, so that one left by a killed run is
        never taken for a clone of what is wanted since.
        """
        return f"{self.rootfs}.{self.image.rpartition('/')[2]}" if self.clone and self.image else ""


@dataclass(frozen=True, slots=True)
class WantedPool:
    """A pool as it is made: `vdevs` in zpool's order. `properties`: ZFS properties of its root dataset.

    `epoch` goes into the pool's comment at creation; None leaves a live comment's epoch alone.
    """

    node: str
    vdevs: tuple[Vdev, ...]
    ashift: int = 12
    properties: dict[str, str] = field(default_factory=dict)
    managed: bool = True
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class WantedImage:
    """The content of an image dataset: the tarball's sha256 (hex)."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class WantedRelease:
    """A project's release, unpacked on the node in a folder of its own: the archive's sha256 (hex)."""

    project: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    packages: tuple[str, ...] = ()
    sysctl: dict[str, str] = field(default_factory=dict)
    users: dict[str, WantedUser] = field(default_factory=dict)
    files: dict[str, WantedFile] = field(default_factory=dict)
    units: dict[str, WantedUnit] = field(default_factory=dict)
    links: dict[str, str | None] = field(default_factory=dict)  # bridge -> address (CIDR)
    datasets: dict[str, WantedDataset] = field(default_factory=dict)
    delegations: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)  # dataset -> user -> permissions
    containers: dict[str, WantedContainer] = field(default_factory=dict)
    pools: dict[str, WantedPool] = field(default_factory=dict)
    images: dict[str, WantedImage] = field(default_factory=dict)  # by dataset
    releases: dict[str, WantedRelease] = field(default_factory=dict)  # by folder on the node
    tokens: tuple[str, ...] = ()  # vaults that are to know the host's own token

    def watched(self) -> tuple[str, ...]:
        """Every path whose digest a reading must hold for `diff`: our files, and the marks that we leave."""
        marks = [paths.PENDING, ANNOUNCE]
        marks += [paths.started(name) for name in self.containers]
        marks += [paths.complete(folder) for folder in self.releases]
        marks += [TOKEN, TOKEN_DIGEST] if self.tokens else []
        return tuple(sorted({*self.files, *marks}))


class Twice(ValueError):
    """Two parts want the same thing differently; one clause names it."""


def merge(*parts: Wanted) -> Wanted:
    """All parts in one. Raises Twice.

    Of one dataset several parts may let their own users do something.
    """
    merged: dict[str, Any] = {
        name: tuple(sorted({item for part in parts for item in getattr(part, name)})) for name in ("packages", "tokens")
    }
    for each in fields(Wanted):
        if each.name not in merged and each.name != "delegations":
            merged[each.name] = _together(each.name, [getattr(part, each.name) for part in parts])
    datasets = {dataset for part in parts for dataset in part.delegations}
    merged["delegations"] = {
        dataset: _together(f"delegations {dataset}", [part.delegations.get(dataset, {}) for part in parts])
        for dataset in sorted(datasets)
    }
    return Wanted(**merged)


def _together(name: str, parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    together: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if together.setdefault(key, value) != value:
                raise Twice(f"{name} {key}: wanted twice, differently")
    return together
