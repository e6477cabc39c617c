"""A container: where it runs, from which image, its address, limits, data, services, probes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

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
    ProbePort,
    ProbeUrl,
    Size,
    written,
)


class Mount(Dataset):
    """A dataset mounted into the container. Named `<pool>/data/<container>` unless `dataset` says otherwise."""

    dataset: DatasetName | None = None
    """its full name; `<pool>/data/<container>` if left out"""
    readonly: StrictBool = False
    """the container may not write"""


class Service(Model):
    """A project's release that runs in the container; reachable from outside at the node's `port`.

    Without `port` a stable one is derived from the name within the fleet's range.
    """

    project: Name
    """a folder below `projects/`, its release in lock.toml"""
    port: Port | None = None
    """what it listens on, and what the node passes on to it; derived from the names if left out"""


class Probe(Model):
    """What proves that the container works: exactly one of `http`, `tcp`, `command`.

    `http = ":8100/health"` and `tcp = ":5432"` go to the container's address from the host; `command` runs inside.
    """

    http: ProbeUrl | None = None
    """`:PORT/PATH`, answers 200 to 399"""
    tcp: ProbePort | None = None
    """`:PORT`, accepts a connection"""
    command: str | None = None
    """a shell command inside the container that ends with 0"""
    source: Literal["host"] = Field(default="host", alias="from")
    """who asks"""
    within: Duration = written("30s")
    """how long it may take after a start"""

    @model_validator(mode="after")
    def _one(self) -> Probe:
        if sum(kind is not None for kind in (self.http, self.tcp, self.command)) != 1:
            raise ValueError("a probe has exactly one of 'http', 'tcp', 'command'")
        return self


class Quiesce(Model):
    """What brings a container's data to rest before a `will-break` signal's snapshot, and lets it go on afterwards.

    Shell commands inside it; `after` runs whatever became of `before` and of the signal, and may run twice.
    """

    before: OneLine
    """ends with 0 once the data is at rest"""
    after: OneLine
    """ends with 0 once it is used again"""
    within: Duration = written("30s")
    """how long each of them may take"""


class IdMap(Model):
    """uid and gid 0 of the container are `start` on the host, for `count` ids."""

    start: StrictInt = Field(default=100000, ge=65536)
    """id on the host of the container's root"""
    count: StrictInt = Field(default=65536, ge=1)
    """how many ids"""


class Container(Model):
    """One LXC container: unprivileged, on its own dataset, with a fixed address on a bridge.

    Limits change while it runs; any other change restarts it, and it alone. With `rootfs = "image"` a new digest in
    lock.toml makes a clone of the new one, stops it, puts the old root aside below `<pool>/retired` and starts it on
    the clone. With `autostart = false`, `apply` starts nothing, restarts it only where it runs, and exchanges its root
    only where it does not. One that has an `ip` and no `nameserver` in its /etc/resolv.conf asks the node's.
    """

    format: Literal[1]
    """of this file"""
    node: Name
    """where it runs; its data does not move with this line (docs/retire.md)"""
    image: Name = "debian-13"
    """of `[images]` in fleet.toml"""
    rootfs: Literal["image", "persistent"] = "image"
    """`image`: cloned again at a rebuild and for another image; `persistent`: data of its own, replicated"""
    pool: PoolName | None = None
    """needed only where the node has several"""
    ip: Cidr | None = None
    """its fixed address with the bridge's network"""
    bridge: Interface = "br0"
    """of the node"""
    mac: Mac | None = None
    """derived from node and name if left out"""
    memory: Size | None = None
    """the most it may use; changed while it runs"""
    cpus: StrictFloat | None = Field(default=None, gt=0)
    """how many CPUs' time it may use; changed while it runs"""
    autostart: StrictBool = True
    """started by `apply`, by a rebuild and with the node; `false`: a person starts it"""
    priority: StrictInt = 50
    """restored and started before higher numbers"""
    after: tuple[Name, ...] = ()
    """started once the probes of these hold"""
    idmap: IdMap = IdMap()
    """unprivileged ids; equal for several containers, or apart"""
    rootfs_dataset: Dataset = Dataset()
    """wishes for the dataset of the root file system"""
    mounts: dict[AbsolutePath, Mount] = {}
    """datasets by path inside the container"""
    services: tuple[Service, ...] = ()
    """what runs in it"""
    probes: tuple[Probe, ...] = ()
    """what proves that it works"""
    quiesce: Quiesce | None = None
    """what `will-break` signals run around their snapshot"""
    raw: tuple[OneLine, ...] = ()
    """further lines of LXC's configuration, as they are"""
