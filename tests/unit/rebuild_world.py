"""A small world to judge and plan in: one node with a mirrored pool, its record, readings of its machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from blackstart.live.model import (
    DatasetLive,
    DiskLive,
    HostLive,
    ImportableLive,
    Live,
    PoolLive,
    ZfsLive,
)
from blackstart.reading import ABSENT, Present, Reading
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.layout import pool_comment
from blackstart.vault.record import Applied, DatasetRecord, OpenRebuild, PoolRecord, Record, dump_record
from blackstart.vault.store import Store

GB = 10**9
GUID = "1111111111111111111"
OTHER = "2222222222222222222"
NOW = 1_790_000_000


def node_spec(**node: Any) -> NodeSpec:
    """node1: pool tank on mirror ata-A/ata-B (4 GB each), containers crm (image) and db (persistent, encrypted)."""
    body: dict[str, Any] = {
        "format": 1,
        "ssh": "admin@203.0.113.11:2201",
        "host_key": "ssh-ed25519 AAAA",
        "pools": {"tank": {"vdevs": [{"type": "mirror", "members": [_member("ata-A"), _member("ata-B")]}]}},
    }
    body.update(node)
    vault = {**body, "ssh": "203.0.113.1", "vault": {"pool": "tank"}}
    crm = {"format": 1, "node": "node1", "priority": 20, "after": ["db"], "mounts": {"/var/lib/crm": {"quota": "1GiB"}}}
    crm["services"] = [{"project": "crm", "port": 8100}]
    db = {
        "format": 1,
        "node": "node1",
        "rootfs": "persistent",
        "priority": 10,
        "mounts": {
            "/var/lib/db": {"encryption": {"key": "file:keys/db.key"}},
            "/scratch": {"dataset": "tank/scratch", "replicate": False, "reason": "can be made again"},
        },
    }
    return NodeSpec.model_validate(
        {
            "name": "node1",
            "node": body,
            "containers": {"crm": crm, "db": db},
            "settings": {"format": 1, "name": "lab", "replication": {"targets": ["vault1"]}},
            "lock": {"images": {"debian-13": {"digest": "sha256:" + "ab" * 32, "size": 40_000_000}}},
            "vaults": {"vault1": vault},
        }
    )


def _member(name: str) -> dict[str, str]:
    return {"id": name, "size": "4GB"}


def record(spec: NodeSpec | None = None, epoch: int = 1, rebuild: OpenRebuild | None = None) -> Record:
    spec = spec or node_spec()
    saved = {
        name: DatasetRecord(name == "tank/data/db", f"blackstart_{number}", str(9000 + number), NOW - 1380)
        for number, name in enumerate(("tank/data/crm", "tank/data/db", "tank/lxc/db"))
    }
    dumped = spec.model_dump(mode="json", by_alias=True)
    applied = Applied(spec.digest(), "abc123", "ops", NOW - 86400, dumped)
    pools = {name: PoolRecord(GUID, 4 * GB, ("ata-A", "ata-B")) for name in spec.node.pools}
    return Record("node1", epoch, spec.node.host_key, pools, saved, applied, rebuild)


def disk(name: str, letter: str, size: int = 4 * GB, **values: Any) -> DiskLive:
    fields: dict[str, Any] = {"parent": None, "serial": name, "signature": Present("")}
    fields.update(values)
    return DiskLive(path=f"/dev/{letter}", ids=(name,) if name else (), size=size, **fields)


OS_DISK = (
    disk("ata-OS", "sda", signature=Present("gpt")),
    disk("ata-OS-part1", "sda1", parent="/dev/sda", signature=Present("ext4"), mounted=("/",)),
)
BLANK = (*OS_DISK, disk("ata-A", "sdb"), disk("ata-B", "sdc"))


def live(*, disks: Any = BLANK, pools: Any = (), importable: Any = (), datasets: Any = (), zfs: Any = None) -> Live:
    """A reading; each argument is a tuple of things, or a Reading as it is."""
    nothing = Present({})
    return Live(
        host=Present(HostLive("b", "00000001", "node1", NOW, 1.0, (0.0, 0.0, 0.0), GB, GB, "6.12", "13")),
        disks=_reading(disks),
        zfs=zfs if zfs is not None else Present(ZfsLive("2.3.9-1", "2.3.9-1")),
        pools=_named(pools),
        importable=_reading(importable),
        datasets=_named(datasets),
        snapshots=Present({}),
        delegations=nothing,
        containers=Present({}),
        units=Present({}),
        files=Present({}),
        packages=nothing,
        users=Present({}),
        links=Present({}),
        sysctl=nothing,
        heartbeat=ABSENT,
        applied=ABSENT,
    )


def _reading(value: Any) -> Reading[Any]:
    return Present(value) if isinstance(value, tuple) else value


def _named(value: Any) -> Reading[Any]:
    return Present({item.name: item for item in value}) if isinstance(value, tuple) else value


def pool(guid: str = GUID, epoch: int | None = 1, name: str = "tank", state: str = "ONLINE", **more: Any) -> PoolLive:
    comment = "" if epoch is None else pool_comment(epoch, "node1")
    return replace(PoolLive(name, guid, state, comment, 4 * GB, 4 * GB, False), **more)


def on_disks(guid: str = GUID, epoch: int | None = 1, name: str = "tank", state: str = "ONLINE") -> ImportableLive:
    comment = "" if epoch is None else pool_comment(epoch, "node1")
    members = (("/dev/disk/by-id/ata-A-part1", "ONLINE"), ("/dev/disk/by-id/ata-B-part1", "UNAVAIL"))
    return ImportableLive(name, guid, state, comment, members)


def dataset(name: str) -> DatasetLive:
    return DatasetLive(name, "77", "filesystem")


def rebuild(epoch: int = 2, pools: dict[str, str] | None = None, disks: dict[str, str] | None = None) -> OpenRebuild:
    return OpenRebuild(epoch, NOW - 600, "ops@laptop", disks or {}, pools or {})


def store(folder: Path, known: Record) -> Store:
    """A vault's folder of the node, with this record in it."""
    made = Store(known.node, str(folder))
    made.folder.mkdir()
    (made.folder / "record.json").write_text(dump_record(known))
    return made
