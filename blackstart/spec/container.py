"""A container: where it runs, from which image, its address, limits, data, services, probes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from blackstart.spec.node import Dataset
from blackstart.spec.types import (
    AbsolutePath,
    Cidr,
    DatasetName,
    Duration,
    Interface,
    Mac,
    Model,
    Name,
    OneLine,
    PoolName,
    Port,
    Size,
)


class Mount(Dataset):
    """A dataset mounted into the container. Named `<pool>/data/<container>` unless `dataset` says otherwise."""

    dataset: DatasetName | None = None
    readonly: bool = False


class Service(Model):
    """A project's release that runs in the container; reachable from outside at the node's `port`.

    Without `port` a stable one is derived from the name within the fleet's range.
    """

    project: Name
    port: Port | None = None


class Probe(Model):
    """What proves that the container works: exactly one of `http`, `tcp`, `command`.

    `http = ":8100/health"` and `tcp = ":5432"` go to the container's address from the host; `command` runs inside.
    """

    http: str | None = Field(default=None, pattern=r"^:\d+/\S*$")
    tcp: str | None = Field(default=None, pattern=r"^:\d+$")
    command: str | None = None
    source: Literal["host"] = Field(default="host", alias="from")
    within: Duration = "30s"  # type: ignore[assignment]

    @model_validator(mode="after")
    def _one(self) -> Probe:
        if sum(kind is not None for kind in (self.http, self.tcp, self.command)) != 1:
            raise ValueError("a probe has exactly one of 'http', 'tcp', 'command'")
        return self


class IdMap(Model):
    """uid and gid 0 of the container are `start` on the host, for `count` ids."""

    start: int = Field(default=100000, ge=65536)
    count: int = Field(default=65536, ge=1)


class Container(Model):
    """One LXC container: unprivileged, on its own dataset, with a fixed address on a bridge."""

    format: Literal[1]
    node: Name
    image: Name = "debian-13"
    rootfs: Literal["image", "persistent"] = "image"
    pool: PoolName | None = None  # needed only where the node has several
    ip: Cidr | None = None  # CIDR on the bridge
    bridge: Interface = "br0"
    mac: Mac | None = None  # derived from node and name
    memory: Size | None = None
    cpus: float | None = Field(default=None, gt=0)
    autostart: bool = True
    priority: int = 50
    after: tuple[Name, ...] = ()
    idmap: IdMap = IdMap()
    rootfs_dataset: Dataset = Dataset()
    mounts: dict[AbsolutePath, Mount] = {}
    services: tuple[Service, ...] = ()
    probes: tuple[Probe, ...] = ()
    raw: tuple[OneLine, ...] = ()
