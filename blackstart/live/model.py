"""The shape of live state: what one reading of one host holds. Sizes are bytes, times are seconds since 1970 (UTC).

Each section stands or falls alone: a section that failed is `Unknown` with its reason, and the others still count.
Guids are decimal strings, as zfs prints them with -p.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blackstart.reading import NOT_ASKED, Reading


@dataclass(frozen=True, slots=True)
class Query:
    """What a reading asks about, taken from the spec; everything else is listed without being asked."""

    properties: tuple[str, ...] = ()  # ZFS properties that the spec talks about
    packages: tuple[str, ...] = ()
    sysctl: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # absolute paths to digest
    directories: tuple[str, ...] = ()  # listed with digests of the files in them (our own cron, unit folders)
    units: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    delegations: tuple[str, ...] = ()  # datasets whose `zfs allow` is asked for
    keys: tuple[str, ...] = ()  # encrypted datasets whose keys come on standard input, see live.key
    handmade: bool = False  # files that no package brought; for who judges what a rebuild would lose


@dataclass(frozen=True, slots=True)
class HostLive:
    boot_id: str
    hostid: str  # 8 hex digits
    hostname: str
    clock: int
    uptime: float
    load: tuple[float, float, float]
    memory_total: int
    memory_available: int
    kernel: str
    debian: str  # VERSION_ID of /etc/os-release where ID=debian, else "ID VERSION_ID"


@dataclass(frozen=True, slots=True)
class DiskLive:
    """A whole disk or a partition. `signature`: what `blkid -p` sees ("" = nothing), e.g. zfs_member, ext4, gpt."""

    path: str  # /dev/vdb1
    ids: tuple[str, ...]  # names below /dev/disk/by-id
    size: int
    parent: str | None  # /dev/vdb for a partition
    serial: str
    signature: Reading[str]
    uuid: str = ""  # pool guid for a zfs_member
    label: str = ""  # pool name for a zfs_member
    mounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ZfsLive:
    userland: str  # 2.3.9-1
    kernel: str


@dataclass(frozen=True, slots=True)
class PoolLive:
    """An imported pool. `members`: device paths as `zpool status -P` names them, with their state."""

    name: str
    guid: str
    state: str  # ONLINE, DEGRADED, FAULTED ...
    comment: str
    size: int
    free: int
    readonly: bool
    members: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportableLive:
    """A pool on the disks that is not imported, as `zpool import` lists it."""

    name: str
    guid: str
    state: str
    comment: str
    members: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetLive:
    """A file system or volume. `properties`: name -> (value as of -p, source as of zfs get)."""

    name: str
    guid: str
    type: str
    properties: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SnapshotLive:
    dataset: str
    name: str  # after the @
    guid: str
    createtxg: int
    creation: int
    holds: int  # how many (userrefs)


@dataclass(frozen=True, slots=True)
class ContainerLive:
    name: str
    state: str  # RUNNING, STOPPED, FROZEN, STARTING (or stopping), ORPHANED: processes without LXC's monitor
    pid: int | None  # of its init, on the host
    addresses: tuple[str, ...]  # without prefix, as its kernel has them; () when it does not run
    config_sha256: str  # hex; "" when there is no config file
    services: tuple[str, ...]  # *.service with processes, from the container's cgroup


@dataclass(frozen=True, slots=True)
class UnitLive:
    load: str  # loaded, not-found, masked
    active: str
    sub: str
    enabled: str  # enabled, disabled, static ... ("" when there is no such unit)


@dataclass(frozen=True, slots=True)
class FileLive:
    sha256: str  # hex
    mode: str  # 0644
    owner: str
    group: str
    kind: str = "file"  # file, directory, link, other; only a file has a sha256


@dataclass(frozen=True, slots=True)
class KeyTried:
    """What came of trying a dataset's key. `state`: one of

    opens: `zfs load-key -n` took it. refused: it did not. missing: its reference leads nowhere on the machine that
    asked. elsewhere: the machine that asked keeps no keys. untried: something came in between. `why`: one clause.
    """

    state: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class HandmadeLive:
    """Absolute paths. `whole`: False where there were more than a reading carries."""

    changed: tuple[str, ...]  # configuration that a package brought, with other content now
    unowned: tuple[str, ...]  # in no package's list
    whole: bool = True


@dataclass(frozen=True, slots=True)
class UserLive:
    uid: int
    gid: int
    home: str
    shell: str
    groups: tuple[str, ...]  # supplementary ones, sorted


@dataclass(frozen=True, slots=True)
class Live:
    """One reading of one host. Dicts are by name; a name that is not in a present dict is absent."""

    host: Reading[HostLive]
    disks: Reading[tuple[DiskLive, ...]]
    zfs: Reading[ZfsLive]  # Absent: no ZFS tools; Unknown: tools without module, ...
    pools: Reading[dict[str, PoolLive]]
    importable: Reading[tuple[ImportableLive, ...]]
    datasets: Reading[dict[str, DatasetLive]]
    snapshots: Reading[dict[str, tuple[SnapshotLive, ...]]]  # by dataset, oldest first
    delegations: Reading[dict[str, str]]  # `zfs allow` text per dataset asked for, see live.delegation
    containers: Reading[dict[str, ContainerLive]]
    units: Reading[dict[str, UnitLive]]
    files: Reading[dict[str, FileLive]]
    packages: Reading[dict[str, str]]  # installed ones among those asked -> version
    users: Reading[dict[str, UserLive]]
    links: Reading[dict[str, tuple[str, ...]]]  # interface -> addresses as CIDR
    sysctl: Reading[dict[str, str]]
    heartbeat: Reading[dict[str, Any]]  # the node's own last heartbeat
    applied: Reading[dict[str, Any]]  # /var/lib/blackstart/applied.json
    handmade: Reading[HandmadeLive] = NOT_ASKED
    keys: Reading[dict[str, KeyTried]] = NOT_ASKED  # by dataset
