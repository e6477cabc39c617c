"""A node: how to reach it, its pools with their member disks, and what /etc loses with the OS disk."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from blackstart.spec.types import (
    AbsolutePath,
    Cidr,
    DatasetName,
    DiskId,
    Duration,
    FileMode,
    HostKey,
    Interface,
    LinuxName,
    Model,
    Name,
    OneLine,
    Package,
    PoolName,
    Port,
    PropertyName,
    RelativePath,
    SecretRef,
    Size,
    SshTarget,
    SysctlName,
    UnitName,
    written,
)


class Member(Model):
    """One disk or partition of a vdev, by its name below /dev/disk/by-id."""

    id: DiskId
    """name below /dev/disk/by-id: a whole disk, or a partition (`…-part3`)"""
    size: Size
    """the least size of the disk, and of its replacement: a little below the real one"""


class Vdev(Model):
    """One vdev of a pool, in zpool's own words."""

    type: Literal["disk", "mirror", "raidz1", "raidz2", "raidz3"] = "mirror"
    """`disk`: its members without redundancy"""
    role: Literal["data", "special", "log", "cache", "spare"] = "data"
    """what the pool uses it for"""
    members: tuple[Member, ...] = Field(min_length=1)
    """the disks"""


class Pool(Model):
    """One pool. `managed = false`: it must exist, blackstart neither creates nor changes it."""

    managed: StrictBool = True
    """`false`: it must exist, blackstart neither creates nor changes it"""
    ashift: StrictInt = Field(default=12, ge=9, le=16)
    """sector size as a power of two; for good"""
    properties: dict[PropertyName, OneLine] = {}
    """ZFS properties of the pool's root dataset, inherited by all others"""
    vdevs: tuple[Vdev, ...] = ()
    """what it is made of; without `role` they hold data"""


class Keep(Model):
    """How many snapshots stay, per age; the newest common one always stays."""

    hourly: StrictInt = Field(default=24, ge=0)
    """snapshots of different hours"""
    daily: StrictInt = Field(default=14, ge=0)
    """of different days"""
    monthly: StrictInt = Field(default=6, ge=0)
    """of different months"""


class Replication(Model):
    """Where snapshots go, how often, and how much loss is accepted (RPO).

    `[replication]` in nodes/NAME.toml says only what is different for that node: each of its keys replaces the one of
    fleet.toml, each key of `keep` too, and what it leaves out is as fleet.toml says.
    """

    targets: tuple[Name, ...] = ()
    """vaults, by name; one or more"""
    interval: Duration = written("15min")
    """from one snapshot to the next"""
    rpo: Duration = written("1h")
    """accepted loss: an older newest replica is an alarm"""
    keep: Keep = Keep()
    """how long snapshots stay, here and there"""
    quota: Size | None = None
    """the most that a node's replicas may take of each vault; left out: three quarters of the vault's pool"""
    drill: Duration | None = Field(default=None, ge=3600)
    """each target plays a drill in isolation; a node whose last good one is older is not recoverable; left out: none"""


class Encryption(Model):
    """The dataset is its own encryption root; the key is a reference, resolved on the controller."""

    key: SecretRef
    """where the key is, never the key itself"""
    keyformat: Literal["raw", "hex", "passphrase"] = "hex"
    """as in zfs(8); `hex` is 64 digits"""


class Dataset(Model):
    """A dataset's wishes. `properties` are plain ZFS properties; sizes carry their unit.

    Replicated unless `replicate = false`, which needs `reason`.
    """

    managed: StrictBool = True
    """`false`: it must exist, blackstart neither creates nor changes nor replicates it"""
    quota: Size | None = None
    """the most it may take"""
    reservation: Size | None = None
    """what is kept free for it"""
    properties: dict[PropertyName, OneLine] = {}
    """other ZFS properties, like `recordsize = "16K"`"""
    encryption: Encryption | None = None
    """encrypted with a key of its own"""
    replicate: StrictBool = True
    """`false`: lost with the node; needs a `reason`"""
    reason: str | None = None
    """why it is not replicated"""
    priority: StrictInt = 50
    """restored before higher numbers"""


class NodeDataset(Dataset):
    """A dataset of the node itself (not of one container), mounted on the host or not at all."""

    mountpoint: AbsolutePath | None = None
    """where the host mounts it; nowhere if left out"""


class Bridge(Model):
    """A Linux bridge for containers: made by systemd-networkd, or `managed = false` and it must exist."""

    managed: StrictBool = True
    """`false`: it must exist, blackstart does not make it"""
    address: Cidr | None = None
    """the host's side with its network"""
    nat: StrictBool = True
    """containers reach out through the host's address"""


class User(Model):
    """A login of the host (an operator); the keys are public."""

    keys: tuple[OneLine, ...] = ()
    """public keys, whole lines as in a `.pub` file"""
    groups: tuple[LinuxName, ...] = ()
    """further groups; they must exist"""
    sudo: StrictBool = False
    """everything, without a password"""


class File(Model):
    """A whole file that the operator owns through the fleet: `content`, or `source` relative to the fleet."""

    content: str | None = None
    """the text itself"""
    source: RelativePath | None = None
    """a file of the fleet's folder"""
    mode: FileMode = "0644"
    """octal, with a leading zero"""
    owner: LinuxName = "root"
    """a user's name"""
    group: LinuxName = "root"
    """a group's name"""

    @model_validator(mode="after")
    def _one(self) -> File:
        if (self.content is None) == (self.source is None):
            raise ValueError("a file has exactly one of 'content', 'source'")
        return self


class Host(Model):
    """What /etc loses with the OS disk. `deploys`: the operator's own pyinfra code, run before ours."""

    packages: tuple[Package, ...] = ()
    """Debian packages"""
    sysctl: dict[SysctlName, OneLine] = {}
    """kernel settings; values as text"""
    bridges: dict[Interface, Bridge] = {}
    """bridges by interface name"""
    users: dict[LinuxName, User] = {}
    """logins by name"""
    units: dict[UnitName, str] = {}
    """systemd units by file name, as text; enabled and started"""
    files: dict[AbsolutePath, File] = {}
    """whole files by path"""
    deploys: tuple[RelativePath, ...] = ()
    """the operator's own pyinfra deploys, run before ours; files of the fleet's folder"""


class Vault(Model):
    """The node keeps for others: specs, projects, images, live state, replicas, below `<pool>/vault`."""

    pool: PoolName
    """what it keeps lies below `<pool>/vault`"""
    port: Port = 8440
    """where its service listens (heartbeats, signals, the page), over TLS"""


class Provider(Model):
    """What a person needs at three in the morning to find the machine; printed, never acted on."""

    name: str
    """who rents it out"""
    server: str
    """its name or number there"""
    console: str | None = None
    """where its console is, a URL"""


class Node(Model):
    """A bare-metal (or virtual) Debian host with ZFS pools that runs LXC containers."""

    format: Literal[1]
    """of this file"""
    ssh: SshTarget
    """`user@host:port`; no user: the one of your ssh_config, else your login name here; the port where it is not 22"""
    sudo: StrictBool = False
    """the login is not root and may use sudo without a password"""
    host_key: HostKey
    """the host's public key; nothing else is accepted"""
    replacement: Literal["ask", "any-blank"] = "ask"
    """after a loss: `ask` for the new disks, or take `any-blank` ones that are large enough"""
    provider: Provider | None = None
    """for the person who has to find the machine; printed, never acted on"""
    pools: dict[PoolName, Pool] = Field(min_length=1)
    """by name"""
    datasets: dict[DatasetName, NodeDataset] = {}
    """of the node itself, by full name"""
    host: Host = Host()
    """what /etc loses with the OS disk"""
    replication: Replication | None = None
    """what is different from the fleet's, key by key"""
    vault: Vault | None = None
    """this node keeps replicas for others"""
