"""A node's spec out of a seed: one or several pools of any layout, data plain and encrypted, one or several vaults."""

from __future__ import annotations

from random import Random
from typing import Any

from blackstart.spec.resolve import NodeSpec

TB = 10**12
KEY = "ssh-ed25519 AAAA"
# (type, disks of one vdev, vdevs, disks of a special that can lose as many: zpool makes no other without force)
LAYOUTS = (
    ("disk", 1, 1, 1),
    ("disk", 2, 1, 1),
    ("mirror", 2, 1, 2),
    ("mirror", 2, 2, 2),
    ("mirror", 3, 1, 3),
    ("raidz1", 3, 1, 2),
    ("raidz2", 4, 1, 3),
)


def node_spec(rng: Random, name: str, vaults: int) -> NodeSpec:
    """`vaults`: how many keep it. Sizes of disks in TB are 2, 4 or 8; all of a node are disks, or all partitions."""
    part = "-part3" if rng.random() < 0.3 else ""
    letters = iter("ABCDEFGHIJKLMNOPQRSTU")
    pools = ("tank", "fast", "bulk")[: rng.choice((1, 1, 1, 2, 2, 3))]
    node: dict[str, Any] = {
        "format": 1,
        "ssh": "admin@203.0.113.11:2201",
        "host_key": KEY,
        "replacement": rng.choice(("ask", "ask", "any-blank")),
        "pools": {pool: _pool(rng, letters, part) for pool in pools},
        "datasets": {f"{rng.choice(pools)}/data/home": {"mountpoint": "/home"}} if rng.random() < 0.3 else {},
    }
    if len(pools) > 1 and rng.random() < 0.2:
        node["pools"][pools[-1]] |= {"managed": False}
    containers = {
        each: _container(rng, each, name, pools) for each in ("crm", "db", "mail")[: rng.choice((0, 1, 1, 2))]
    }
    names = [f"vault{number + 1}" for number in range(vaults)]
    return NodeSpec.model_validate(
        {
            "name": name,
            "node": node,
            "containers": containers,
            "settings": {"format": 1, "name": "torture", "replication": {"targets": names}},
            "lock": {},
            "vaults": {each: _vault(number) for number, each in enumerate(names)},
        }
    )


def _pool(rng: Random, letters: Any, part: str) -> dict[str, Any]:
    kind, disks, vdevs, special = rng.choice(LAYOUTS)
    size = rng.choice((2, 4, 8))
    made = [
        {"type": kind, "members": [{"id": f"ata-{next(letters)}{part}", "size": f"{size}TB"} for _ in range(disks)]}
        for _ in range(vdevs)
    ]
    if rng.random() < 0.15:
        members = [{"id": f"ata-{next(letters)}{part}", "size": "2TB"} for _ in range(special)]
        made.append({"type": "mirror" if special > 1 else "disk", "role": "special", "members": members})
    return {"vdevs": made}


def _container(rng: Random, name: str, node: str, pools: tuple[str, ...]) -> dict[str, Any]:
    mount: dict[str, Any] = {}
    if rng.random() < 0.4:
        mount["encryption"] = {"key": f"file:keys/{name}.key"}
    pool = rng.choice(pools)
    mounts = {f"/var/lib/{name}": mount}
    if rng.random() < 0.3:
        mounts["/scratch"] = {"dataset": f"{pool}/scratch/{name}", "replicate": False, "reason": "made again"}
    kind = rng.choice(("image", "persistent"))
    return {"format": 1, "node": node, "pool": pool, "rootfs": kind, "mounts": mounts, "priority": rng.randint(1, 99)}


def _vault(number: int) -> dict[str, Any]:
    disk = {"id": f"ata-V{number}", "size": "8TB"}
    pools = {"bank": {"vdevs": [{"type": "disk", "members": [disk]}]}}
    return {"format": 1, "ssh": f"203.0.113.{number + 1}", "host_key": KEY, "pools": pools, "vault": {"pool": "bank"}}
