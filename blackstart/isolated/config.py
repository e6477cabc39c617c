"""What a vault plays in a drill of one node: written by the deploy, root's own, read by both programs of a drill."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from blackstart.vault import layout

FORMAT = 1
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")  # spec.types.Name


@dataclass(frozen=True, slots=True)
class Data:
    """A replicated dataset, by its name on the node."""

    dataset: str
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """`dataset` at `target` in the container. `replicated`: else it would come back empty, and is empty here."""

    dataset: str
    target: str
    readonly: bool = False
    replicated: bool = True


@dataclass(frozen=True, slots=True)
class Release:
    """A project's archive, unpacked at `target` in the container. `sha256`: hex."""

    project: str
    sha256: str
    target: str


@dataclass(frozen=True, slots=True)
class Probe:
    """`port` with `path` for http, alone for tcp; `command` runs inside. `within`: seconds."""

    kind: Literal["http", "tcp", "command"]
    within: int
    port: int = 0
    path: str = ""
    command: str = ""

    @property
    def what(self) -> str:
        """For people."""
        if self.kind == "command":
            return self.command
        return f"GET :{self.port}{self.path}" if self.kind == "http" else f"tcp :{self.port}"


@dataclass(frozen=True, slots=True)
class Container:
    """One to start, in the order of the list.

    `image`: sha256 of the tarball that its root is made of, with `image_name`; "" where `rootfs`, a replicated
    dataset, is its root. `units`: path below /usr/local/lib/systemd/system -> text. `left_out`: lines of its own LXC
    configuration, which a drill never uses: they may name anything of the host. `problem`: why it cannot be played.
    """

    name: str
    rootfs: str
    image: str
    image_name: str
    start: int  # first id of the host that it may use
    count: int
    memory: int | None  # bytes
    mounts: tuple[Mount, ...]
    releases: tuple[Release, ...]
    units: dict[str, str]
    probes: tuple[Probe, ...]
    left_out: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """`pool`: of the vault. `every`: a good drill may not be older, in seconds. `spec`: digest of the node's spec."""

    node: str
    vault: str
    pool: str
    every: int
    rpo: int
    spec: str
    data: tuple[Data, ...]
    containers: tuple[Container, ...]
    idle: tuple[str, ...] = ()  # containers that only a person starts: their data counts, they are not started
    format: int = FORMAT

    @property
    def replicas(self) -> str:
        return f"{self.pool}/vault/replicas/{self.node}"

    @property
    def parent(self) -> str:
        """What a drill makes lies below it, and nothing else does."""
        return layout.drills(self.pool, self.node)

    def clone(self, dataset: str) -> str:
        """Where a dataset's clone is. The number keeps `a/b:c` and `a:b/c` apart."""
        at = [each.dataset for each in self.data].index(dataset)
        return f"{self.parent}/{at:02}-{dataset.replace('/', ':')}"

    def root(self, container: Container) -> str:
        """The dataset of a container's root."""
        return f"{self.parent}/root-{container.name}" if container.image else self.clone(container.rootfs)

    def image(self, sha256: str) -> str:
        return f"{self.parent}/image-{sha256[:12]}"

    @property
    def scratch(self) -> str:
        """Releases, and what is not replicated."""
        return f"{self.parent}/scratch"


def is_name(node: str) -> bool:
    """Whether it may become part of a path or a dataset's name."""
    return bool(_NAME.fullmatch(node))


def path(node: str, root: str = layout.DRILLED) -> Path:
    return Path(root) / f"{node}.json"


def dump(config: Config) -> str:
    return json.dumps(asdict(config), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Config:
    """Read `dump`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        data["data"] = tuple(Data(**each) for each in data["data"])
        data["containers"] = tuple(_container(each) for each in data["containers"])
        data["idle"] = tuple(data["idle"])
        return Config(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a drill's configuration: {error!r}") from error


def _container(data: dict[str, Any]) -> Container:
    lists = {
        "mounts": tuple(Mount(**each) for each in data["mounts"]),
        "releases": tuple(Release(**each) for each in data["releases"]),
        "probes": tuple(Probe(**each) for each in data["probes"]),
        "left_out": tuple(data["left_out"]),
    }
    return Container(**data | lists)
