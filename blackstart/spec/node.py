"""A node: how to reach it, its pools with their member disks, and what /etc loses with the OS disk."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from blackstart.spec.types import (
    AbsolutePath,
    Cidr,
    DatasetName,
    DiskId,
    Duration,
    HostKey,
    Interface,
    LinuxName,
    Model,
    Name,
    OneLine,
    Package,
    PoolName,
    PropertyName,
    RelativePath,
    SecretRef,
    Size,
    SshTarget,
    SysctlName,
    UnitName,
)


class Member(Model):
    """One disk or partition of a vdev, by its name below /dev/disk/by-id."""

    id: DiskId
    size: Size


class Vdev(Model):
    """One vdev of a pool, in zpool's own words."""

    type: Literal["disk", "mirror", "raidz1", "raidz2", "raidz3"] = "mirror"
    role: Literal["data", "special", "log", "cache", "spare"] = "data"
    members: tuple[Member, ...] = Field(min_length=1)


class Pool(Model):
    """One pool. `managed = false`: it must exist, blackstart neither creates nor changes it."""

    managed: bool = True
    ashift: int = Field(default=12, ge=9, le=16)
    properties: dict[PropertyName, OneLine] = {}  # ZFS properties of the pool's root dataset
    vdevs: tuple[Vdev, ...] = ()


class Keep(Model):
    """How many snapshots stay, per age; the newest common one always stays."""

    hourly: int = Field(default=24, ge=0)
    daily: int = Field(default=14, ge=0)
    monthly: int = Field(default=6, ge=0)


class Replication(Model):
    """Where snapshots go, how often, and how much loss is accepted (RPO)."""

    targets: tuple[Name, ...] = ()
    interval: Duration = "15min"  # type: ignore[assignment]
    rpo: Duration = "1h"  # type: ignore[assignment]
    keep: Keep = Keep()


class Encryption(Model):
    """The dataset is its own encryption root; the key is a reference, resolved on the controller."""

    key: SecretRef
    keyformat: Literal["raw", "hex", "passphrase"] = "hex"


class Dataset(Model):
    """A dataset's wishes. `properties` are plain ZFS properties; sizes carry their unit.

    Replicated unless `replicate = false`, which needs `reason`.
    """

    managed: bool = True
    quota: Size | None = None
    reservation: Size | None = None
    properties: dict[PropertyName, OneLine] = {}
    encryption: Encryption | None = None
    replicate: bool = True
    reason: str | None = None
    priority: int = 50


class NodeDataset(Dataset):
    """A dataset of the node itself (not of one container), mounted on the host or not at all."""

    mountpoint: AbsolutePath | None = None


class Bridge(Model):
    """A Linux bridge for containers: made by systemd-networkd, or `managed = false` and it must exist."""

    managed: bool = True
    address: Cidr | None = None  # CIDR of the host's side, like 10.20.0.1/24
    nat: bool = True  # containers reach out through the host's address


class User(Model):
    """A login of the host (an operator); the keys are public."""

    keys: tuple[OneLine, ...] = ()
    groups: tuple[LinuxName, ...] = ()
    sudo: bool = False


class File(Model):
    """A whole file that the operator owns through the fleet: `content`, or `source` relative to the fleet."""

    content: str | None = None
    source: RelativePath | None = None
    mode: str = Field(default="0644", pattern=r"^0[0-7]{3}$")
    owner: LinuxName = "root"
    group: LinuxName = "root"

    @model_validator(mode="after")
    def _one(self) -> File:
        if (self.content is None) == (self.source is None):
            raise ValueError("a file has exactly one of 'content', 'source'")
        return self


class Host(Model):
    """What /etc loses with the OS disk. `deploys`: the operator's own pyinfra code, run before ours."""

    packages: tuple[Package, ...] = ()
    sysctl: dict[SysctlName, OneLine] = {}
    bridges: dict[Interface, Bridge] = {}
    users: dict[LinuxName, User] = {}
    units: dict[UnitName, str] = {}  # unit file name -> content; enabled and started
    files: dict[AbsolutePath, File] = {}
    deploys: tuple[RelativePath, ...] = ()


class Vault(Model):
    """The node keeps for others: specs, projects, images, live state, replicas, below `<pool>/vault`."""

    pool: PoolName


class Provider(Model):
    """What a person needs at three in the morning to find the machine; printed, never acted on."""

    name: str
    server: str
    console: str | None = None


class Node(Model):
    """A bare-metal (or virtual) Debian host with ZFS pools that runs LXC containers."""

    format: Literal[1]
    ssh: SshTarget
    sudo: bool = False
    host_key: HostKey
    replacement: Literal["ask", "any-blank"] = "ask"
    provider: Provider | None = None
    pools: dict[PoolName, Pool] = Field(min_length=1)
    datasets: dict[DatasetName, NodeDataset] = {}
    host: Host = Host()
    replication: Replication | None = None  # instead of the fleet's
    vault: Vault | None = None
